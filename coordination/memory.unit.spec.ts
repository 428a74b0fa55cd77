import { describe, expect, it } from 'vitest';
import { HeldClock, passingOn, TestClock } from '../schemas/clock.testing.ts';
import {
  checkpointsContract,
  leadershipContract,
  limiterContract,
  registryContract,
  sharedWritesContract,
  workersContract,
} from './contract.ts';
import { MemoryCoordination } from './memory.ts';
import { leasedWorker } from './port.ts';

const WORKERS = 3;

const world = () => {
  const clock = new TestClock();
  const coordination = new MemoryCoordination({ clock, workers: WORKERS });
  const passing = { ...passingOn(clock), dispose: async () => {} };
  return { clock, coordination, passing };
};

const leases = async () => {
  const { clock, coordination, passing } = world();
  return {
    ...passing,
    workers: WORKERS,
    process() {
      const held = new HeldClock(clock);
      const { leaderships, workers } = coordination.node(held);
      return { leaderships, workers, hang: () => held.hold(), goOn: () => held.goOn() };
    },
  };
};

leadershipContract('memory', leases);
workersContract('memory', leases);
checkpointsContract('memory', async () => {
  const { coordination, passing } = world();
  const { checkpoints } = coordination.node();
  return { checkpoints, elsewhere: async () => coordination.node().checkpoints, dispose: passing.dispose };
});
sharedWritesContract('memory', async () => {
  const { coordination, passing } = world();
  return { node: async () => coordination.node().sharedWrites, logEndsAt: () => {}, dispose: passing.dispose };
});
registryContract('memory', async () => {
  const { clock, coordination, passing } = world();
  return {
    ...passing,
    wallTime: clock.wallTime(),
    async gateway() {
      const { registry } = coordination.node();
      return { registry, kill: () => registry.stop() };
    },
  };
});
limiterContract('memory', async () => {
  const { coordination, passing } = world();
  return { node: async () => coordination.node().limiter, dispose: passing.dispose };
});

describe('own writes in memory', () => {
  it('are never reported lower than recorded, however many people have written since', async () => {
    const { sharedWrites } = new MemoryCoordination({ clock: new TestClock(), workers: 1, remembered: 2 }).node();
    await sharedWrites.record('10', 7);
    await sharedWrites.record('11', 3);
    await sharedWrites.record('12', 1);
    expect([await sharedWrites.of('10'), await sharedWrites.of('12')]).toEqual([7, 7]);
  });
});

describe('a process’s worker', () => {
  it('is replaced when its lease is lost, and no ids are made meanwhile', async () => {
    const { clock, coordination } = world();
    const held = new HeldClock(clock);
    const leased = await leasedWorker(coordination.node(held).workers);
    expect(leased.worker()).toBe(0);
    held.hold();
    await clock.advance(60_000);
    held.goOn();
    const other = await coordination.node().workers.lease();
    expect(other.id).toBe(0);
    expect(() => leased.worker()).toThrow('worker ids');
    await clock.advance(0);
    expect(leased.worker()).toBe(1);
    await leased.release();
    await other.release();
  });
});

it('a limit refuses for the rest of its window, wherever the wall clock goes', async () => {
  for (const jump of [120_000, -2 * 86_400_000]) {
    const { clock, coordination } = world();
    const limiter = coordination.node().limiter('send', { count: 1, seconds: 60 });
    await limiter.take('1');
    await clock.advance(10_000);
    clock.jump(jump);
    expect(await limiter.take('1')).toEqual({ allowed: false, remaining: 0, resetMs: 50_000 });
    await clock.advance(50_000);
    expect(await limiter.take('1')).toMatchObject({ allowed: true });
  }
});
