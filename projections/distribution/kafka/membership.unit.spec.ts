import { beforeEach, describe, expect, it } from 'vitest';
import { TestClock } from '../../../schemas/clock.testing.ts';
import { Membership } from './membership.ts';

const STUCK_MS = 30_000;
const FETCH_MS = 10_000;

describe('a member of a consumer group', () => {
  let clock: TestClock;
  let member: Membership;
  let lost: string[];
  let confirmedAt: number;
  /** The end of each partition in the brokers, or nothing while they cannot answer. */
  let ends: ReadonlyMap<number, bigint> | undefined;
  let asked: number;

  const handed = async () => true;
  const nobody = async () => false;
  /** Lets time pass with a look each second. */
  const pass = async (ms: number, each: () => unknown = () => member.heartbeat()) => {
    for (let passed = 0; passed < ms; passed += 1000) {
      await clock.advance(1000);
      await each();
      await member.look();
    }
  };

  beforeEach(() => {
    clock = new TestClock();
    lost = [];
    confirmedAt = Number.NaN;
    ends = new Map([[0, 100n]]);
    asked = 0;
    member = new Membership({
      stuckMs: STUCK_MS,
      fetchMs: FETCH_MS,
      newest: async () => {
        asked += 1;
        if (ends === undefined) throw new Error('the brokers cannot answer');
        return ends;
      },
      onConfirmed: () => {
        confirmedAt = clock.monotonic();
      },
      onLost: ({ message }) => lost.push(message),
      clock,
    });
    member.joined([0, 1]);
  });

  it('stays while its group confirms it, however long no record comes', async () => {
    await pass(10 * STUCK_MS);
    expect(lost).toEqual([]);
    expect(confirmedAt).toBe(clock.monotonic());
  });

  it('is lost when its group has not confirmed it for a while, whatever it fetches', async () => {
    await pass(STUCK_MS + 1000, async () => {
      member.fetching();
      await member.records(0, handed);
    });
    expect(lost).toEqual(['There was no sign of life for 30000 ms']);
  });

  it('is lost as soon as it fetches after a rebalance without having joined again', () => {
    member.fetching();
    member.rebalancing();
    expect(lost).toEqual([]);
    member.fetching();
    expect(lost).toEqual(['It fetches although it has not joined its group again']);
  });

  it('is lost when no join follows a rebalance, although heartbeats succeed', async () => {
    member.rebalancing();
    await pass(STUCK_MS + 1000);
    expect(lost).toEqual(['There was no sign of life for 30000 ms']);
    expect(confirmedAt).toBe(0);
  });

  it('stays when a join follows the rebalance', async () => {
    member.rebalancing();
    await pass(10_000);
    member.joined([1]);
    member.fetching();
    await pass(STUCK_MS);
    expect(lost).toEqual([]);
  });

  it('is lost when it gets records of a partition that it does not follow', async () => {
    await pass(FETCH_MS + 1000);
    await member.records(2, nobody);
    expect(lost).toEqual(['It got records of partition 2, which it does not follow']);
  });

  it('stays when a fetch that began before a rebalance brings records of the former assignment', async () => {
    await member.records(2, nobody);
    await pass(FETCH_MS + 1000);
    await member.records(0, async () => {
      member.rebalancing();
      return false;
    });
    expect(lost).toEqual([]);
  });

  it('is lost when the brokers have records that it does not get', async () => {
    let end = 100n;
    await pass(2 * STUCK_MS, async () => {
      member.heartbeat();
      await member.records(1, handed);
      end += 1n;
      ends = new Map([
        [0, end],
        [1, end],
      ]);
    });
    expect(new Set(lost)).toEqual(new Set(['Partition 0 has records that it does not get']));
  });

  it('is lost for one such partition even while it is always handing over records of the others', async () => {
    let end = 100n;
    let store = () => {};
    await pass(3 * STUCK_MS, () => {
      member.heartbeat();
      store();
      void member.records(1, () => new Promise((resolve) => (store = () => resolve(true))));
      end += 1n;
      ends = new Map([
        [0, end],
        [1, end],
      ]);
    });
    expect(new Set(lost)).toEqual(new Set(['Partition 0 has records that it does not get']));
  });

  it('stays when the first records after a long quiet time have only just come', async () => {
    await pass(2 * STUCK_MS);
    ends = new Map([[0, 101n]]);
    await pass(FETCH_MS);
    await member.records(0, handed);
    await pass(2 * STUCK_MS);
    expect(lost).toEqual([]);
  });

  it('stays while a store takes its time, and while the brokers cannot say what they have', async () => {
    let stored = () => {};
    const storing = member.records(0, () => new Promise((resolve) => (stored = () => resolve(true))));
    await pass(2 * STUCK_MS);
    expect(asked).toBe(0);
    stored();
    await storing;
    ends = undefined;
    await pass(2 * STUCK_MS);
    expect(asked).toBeGreaterThan(0);
    expect(lost).toEqual([]);
  });
});
