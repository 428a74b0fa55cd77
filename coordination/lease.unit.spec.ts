import { beforeEach, describe, expect, it } from 'vitest';
import { TestClock } from '../schemas/clock.testing.ts';
import { type Grants, Lease } from './lease.ts';

const TIMES = { leaseMs: 3000, renewMs: 600 };

describe('a lease', () => {
  let clock: TestClock;
  let renewals: number;
  /** What the store answers to the nth renewal, from 1. */
  let answer: (renewal: number) => Promise<boolean>;
  let lost: boolean;

  const grants: Grants<number> = {
    take: async () => 1,
    renew: () => {
      renewals += 1;
      return answer(renewals);
    },
    release: async () => {},
  };
  const taken = async () => {
    const lease = (await Lease.take(grants, TIMES, clock))!;
    void lease.lost.then(() => {
      lost = true;
    });
    return lease;
  };

  beforeEach(() => {
    clock = new TestClock();
    renewals = 0;
    lost = false;
    answer = async () => true;
  });

  it('is held as long as the store renews it', async () => {
    const lease = await taken();
    await clock.advance(60_000);
    expect([lease.valid(), lost]).toEqual([true, false]);
    await lease.release();
    expect(lease.valid()).toBe(false);
  });

  it('outlives renewals that are never answered, because later ones do not wait for them', async () => {
    answer = (renewal) => (renewal % 3 === 0 ? Promise.resolve(true) : new Promise(() => {}));
    const lease = await taken();
    await clock.advance(60_000);
    expect([lease.valid(), lost]).toEqual([true, false]);
  });

  it('is not shortened by an answer that comes late', async () => {
    let late: (renewed: boolean) => void = () => {};
    answer = (renewal) => (renewal === 1 ? new Promise((resolve) => (late = resolve)) : Promise.resolve(renewal === 2));
    const lease = await taken();
    await clock.advance(1200);
    answer = () => Promise.reject(new Error('gone'));
    late(true);
    await clock.advance(1900);
    expect(lease.valid()).toBe(true);
    await clock.advance(700);
    expect([lease.valid(), lost]).toEqual([false, true]);
  });

  it('ends for its holder after two thirds, before the store gives it to another', async () => {
    answer = () => Promise.reject(new Error('gone'));
    const lease = await taken();
    await clock.advance(1999);
    expect(lease.valid()).toBe(true);
    await clock.advance(1);
    expect(lease.valid()).toBe(false);
  });

  it('has ended for a holder that was held still, before any of its timers fire', async () => {
    const lease = await taken();
    const still = clock.freeze(133_000);
    expect(lease.valid()).toBe(false);
    await still;
    expect(lost).toBe(true);
  });

  it('ends at once when the store says that it belongs to another', async () => {
    answer = async () => false;
    const lease = await taken();
    await clock.advance(600);
    expect([lease.valid(), lost]).toEqual([false, true]);
  });
});
