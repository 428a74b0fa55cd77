import { expect, it } from 'vitest';
import { LagMeter } from './runner.ts';

it('lag is the distance to the known head and the age of what is oldest in it', () => {
  let now = 1000;
  const meter = new LagMeter(10, () => now);
  expect(meter.lag()).toEqual({ events: 0, seconds: 0 });
  meter.seen(15);
  now = 3000;
  meter.seen(20);
  now = 4000;
  expect(meter.lag()).toEqual({ events: 10, seconds: 3 });
  meter.applied(15);
  expect(meter.lag()).toEqual({ events: 5, seconds: 1 });
  meter.applied(20);
  expect(meter.lag()).toEqual({ events: 0, seconds: 0 });
});

it('a head that is seen again does not grow younger', () => {
  let now = 0;
  const meter = new LagMeter(0, () => now);
  meter.seen(5);
  now = 7000;
  meter.seen(5);
  expect(meter.lag()).toEqual({ events: 5, seconds: 7 });
});
