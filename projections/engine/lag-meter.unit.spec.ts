import { expect, it } from 'vitest';
import { TestClock } from '../../schemas/clock.testing.ts';
import { LagMeter } from './runner.ts';

it('lag is the distance to the known head and the age of its oldest event, whatever the wall clock does', async () => {
  const clock = new TestClock();
  const meter = new LagMeter(10, clock);
  expect(meter.lag()).toEqual({ events: 0, seconds: 0 });
  meter.seen(15);
  await clock.advance(2000);
  clock.jump(-3_600_000);
  meter.seen(20);
  await clock.advance(1000);
  expect(meter.lag()).toEqual({ events: 10, seconds: 3 });
  meter.applied(15);
  expect(meter.lag()).toEqual({ events: 5, seconds: 1 });
  meter.applied(20);
  expect(meter.lag()).toEqual({ events: 0, seconds: 0 });
});

it('a head that is seen again keeps its age', async () => {
  const clock = new TestClock();
  const meter = new LagMeter(0, clock);
  meter.seen(5);
  await clock.advance(7000);
  meter.seen(5);
  expect(meter.lag()).toEqual({ events: 5, seconds: 7 });
});
