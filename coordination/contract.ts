/** The contract of coordination between nodes, whatever the store. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Passing } from '../schemas/clock.testing.ts';
import {
  type Checkpoints,
  type Device,
  type Leaderships,
  type LimiterFactory,
  NoWorkerLeft,
  type SessionRegistry,
  type SharedWrites,
  type Workers,
} from './port.ts';

/** One process among several. */
export interface LeaseProcess {
  readonly leaderships: Leaderships;
  readonly workers: Workers;
  /** Freezes it, as SIGSTOP does. */
  hang(): void;
  goOn(): void;
}

export interface LeaseFixture extends Passing {
  dispose(): Promise<void>;
  process(): LeaseProcess;
  /** Number of workers; at least 3. */
  readonly workers: number;
}

/** A process that seeks a leadership, and the calls it received. */
const candidate = (
  process: LeaseProcess,
  name = 'relay',
  onGained: (term: number) => Promise<void> = async () => {},
) => {
  const told: (number | 'lost')[] = [];
  const leadership = process.leaderships.seek({
    name,
    onGained: async (term) => {
      told.push(term);
      await onGained(term);
    },
    onLost: async () => void told.push('lost'),
  });
  return { told, leadership, hang: () => process.hang(), goOn: () => process.goOn() };
};

export const leadershipContract = (name: string, open: () => Promise<LeaseFixture>) =>
  describe(`leadership by ${name}`, () => {
    let fixture: LeaseFixture;
    const seeking: ReturnType<typeof candidate>[] = [];
    const seek = (...more: Parameters<typeof candidate> extends [unknown, ...infer Rest] ? Rest : never) => {
      const one = candidate(fixture.process(), ...more);
      seeking.push(one);
      return one;
    };
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(async () => {
      for (const one of seeking) one.goOn();
      await Promise.all(seeking.splice(0).map(({ leadership }) => leadership.stop()));
      await fixture.dispose();
    });

    it('has one holder at a time, and the next holder gets a later term', async () => {
      const one = seek();
      await fixture.until(() => one.leadership.leading);
      const other = seek();
      await one.leadership.stop();
      await fixture.until(() => other.leadership.leading);
      expect([one.told, other.told]).toEqual([[1, 'lost'], [2]]);
      expect(one.leadership.leading).toBe(false);
    });

    it('is separate for each name', async () => {
      const [relay, finisher] = [seek('relay'), seek('finisher')];
      await fixture.until(() => relay.leadership.leading && finisher.leadership.leading);
      expect([relay.told, finisher.told]).toEqual([[1], [1]]);
    });

    it('never goes to a process that stopped waiting for it', async () => {
      const one = seek();
      await fixture.until(() => one.leadership.leading);
      const other = seek();
      await other.leadership.stop();
      await one.leadership.stop();
      expect([one.told, other.told]).toEqual([[1, 'lost'], []]);
    });

    it('is given up only after the work of gaining it has finished', async () => {
      let done = () => {};
      const one = seek('relay', () => new Promise<void>((resolve) => (done = resolve)));
      await fixture.until(() => one.leadership.leading);
      const stopped = one.leadership.stop();
      expect(one.told).toEqual([1]);
      done();
      await stopped;
      expect(one.told).toEqual([1, 'lost']);
    });

    it('goes to another process when its holder hangs, and the holder knows when it resumes', async () => {
      const one = seek();
      await fixture.until(() => one.leadership.leading);
      const other = seek();
      one.hang();
      await fixture.until(() => {
        const both = one.leadership.leading && other.leadership.leading;
        expect(both).toBe(false);
        return other.leadership.leading;
      });
      expect([one.leadership.leading, other.told]).toEqual([false, [2]]);
      one.goOn();
      await fixture.until(() => one.told.length === 2);
      expect(one.told).toEqual([1, 'lost']);
      await other.leadership.stop();
      await fixture.until(() => one.leadership.leading);
      expect(one.told).toEqual([1, 'lost', 3]);
    });
  });

export const workersContract = (name: string, open: () => Promise<LeaseFixture>) =>
  describe(`worker ids by ${name}`, () => {
    let fixture: LeaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.dispose());

    it('are leased once each until none is left, and again after release', async () => {
      const leases = await Promise.all(
        Array.from({ length: fixture.workers }, async () => {
          // Two processes may ask for the same worker at once; then one of them asks again.
          for (;;) {
            const lease = await fixture
              .process()
              .workers.lease()
              .catch(() => undefined);
            if (lease !== undefined) return lease;
          }
        }),
      );
      expect(leases.map(({ id }) => id).sort()).toEqual(leases.map((_, id) => id));
      expect(leases.every((lease) => lease.valid())).toBe(true);
      await expect(fixture.process().workers.lease()).rejects.toThrow(NoWorkerLeft);
      await leases[1]!.release();
      expect(leases[1]!.valid()).toBe(false);
      const next = await fixture.process().workers.lease();
      expect(next.id).toBe(leases[1]!.id);
      for (const lease of [...leases, next]) await lease.release();
    });

    it('stay with their holder as long as it renews them', async () => {
      const lease = await fixture.process().workers.lease();
      const hung = fixture.process();
      const other = await hung.workers.lease();
      hung.hang();
      await fixture.until(() => !other.valid());
      expect(lease.valid()).toBe(true);
      hung.goOn();
      await lease.release();
      await other.release();
    });

    it('of a process that hangs become invalid before another process gets them', async () => {
      const hung = fixture.process();
      const lease = await hung.workers.lease();
      hung.hang();
      const process = fixture.process();
      const others: Awaited<ReturnType<typeof process.workers.lease>>[] = [];
      await fixture.until(async () => {
        const next = await process.workers.lease().catch(() => undefined);
        if (next !== undefined) others.push(next);
        return others.some(({ id }) => id === lease.id);
      });
      expect(lease.valid()).toBe(false);
      hung.goOn();
      expect(lease.valid()).toBe(false);
      await lease.release();
      expect(others.find(({ id }) => id === lease.id)!.valid()).toBe(true);
      for (const other of others) await other.release();
    });
  });

export interface CheckpointsFixture {
  readonly checkpoints: Checkpoints;
  /** The checkpoints as another process sees them. */
  elsewhere(): Promise<Checkpoints>;
  dispose(): Promise<void>;
}

export const checkpointsContract = (name: string, open: () => Promise<CheckpointsFixture>) =>
  describe(`checkpoints in ${name}`, () => {
    let fixture: CheckpointsFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.dispose());

    it('begin at 0, are separate for each name, and never move back', async () => {
      const { checkpoints } = fixture;
      expect(await checkpoints.read('relay')).toBe(0);
      await checkpoints.write('relay', 7);
      await checkpoints.write('relay', 5);
      await checkpoints.write('processes', 9);
      expect([await checkpoints.read('relay'), await checkpoints.read('processes')]).toEqual([7, 9]);
      expect(await (await fixture.elsewhere()).read('relay')).toBe(7);
    });

    it('end at the highest position under concurrent writes', async () => {
      const [one, other] = [fixture.checkpoints, await fixture.elsewhere()];
      await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? one : other).write('relay', ((n * 7) % 20) + 1)));
      expect([await one.read('relay'), await other.read('relay')]).toEqual([20, 20]);
    });
  });

export interface SharedWritesFixture {
  node(): Promise<SharedWrites>;
  /** Sets the end of the log. */
  logEndsAt(position: number): void;
  dispose(): Promise<void>;
}

const ANN = '10';
const BOB = '11';

export const sharedWritesContract = (name: string, open: () => Promise<SharedWritesFixture>) =>
  describe(`own writes shared through ${name}`, () => {
    let fixture: SharedWritesFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.dispose());

    /** Two nodes that have already asked while nothing was recorded. */
    const nodes = async () => {
      const both = [await fixture.node(), await fixture.node()] as const;
      for (const node of both) expect(await node.of(ANN)).toBe(0);
      return both;
    };

    it('are known on every node once recorded, separately for each person', async () => {
      const [one, other] = await nodes();
      fixture.logEndsAt(100);
      await one.record(ANN, 20);
      await one.record(ANN, 10);
      await other.record(BOB, 7);
      expect([await other.of(ANN), await one.of(BOB), await one.of('12')]).toEqual([20, 7, 0]);
    });

    it('are recorded for thousands of people at once, each with the highest position', async () => {
      const [one, other] = await nodes();
      const users = Array.from({ length: 1500 }, (_, n) => String(1000 + n));
      await Promise.all(users.flatMap((user, n) => [one.record(user, n + 5), one.record(user, n)]));
      expect(await Promise.all(users.map((user) => other.of(user)))).toEqual(users.map((_, n) => n + 5));
    });
  });

export interface RegistryFixture extends Passing {
  dispose(): Promise<void>;
  gateway(): Promise<{ readonly registry: SessionRegistry; kill(): Promise<void> }>;
  /** Start time of sessions, in milliseconds since 1970. */
  readonly wallTime: number;
}

/** Counts by device over all gateways, such as `2 web`. */
export const shown = async (registry: SessionRegistry, userId = ANN) =>
  (await registry.of(userId)).map(({ device, sessions }) => `${sessions} ${device}`).sort();

export const registryContract = (name: string, open: () => Promise<RegistryFixture>) =>
  describe(`the session registry in ${name}`, () => {
    let fixture: RegistryFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.dispose());
    const shows = (registry: SessionRegistry, ...sessions: readonly string[]) =>
      fixture.until(async () => (await shown(registry)).join() === sessions.join());
    const started = (registry: SessionRegistry, ...devices: readonly Device[]) => {
      for (const device of devices) registry.started(ANN, device);
    };

    it('knows where a person is connected, with which devices, and since when', async () => {
      const [{ registry: one }, { registry: other }] = [await fixture.gateway(), await fixture.gateway()];
      started(one, 'web', 'web');
      started(other, 'mobile');
      await shows(one, '1 mobile', '2 web');
      const found = await other.of(ANN);
      expect(new Set(found.map(({ gateway }) => gateway)).size).toBe(2);
      expect(found.map(({ since }) => since)).toEqual([fixture.wallTime, fixture.wallTime]);
      expect(await other.of('11')).toEqual([]);
    });

    it('forgets sessions that ended', async () => {
      const { registry } = await fixture.gateway();
      started(registry, 'web', 'web', 'mobile');
      registry.ended(ANN, 'web');
      registry.ended(ANN, 'mobile');
      await shows(registry, '1 web');
      registry.ended(ANN, 'web');
      await shows(registry);
      started(registry, 'mobile');
      await shows(registry, '1 mobile');
    });

    it('ignores the end of an unknown session', async () => {
      const { registry } = await fixture.gateway();
      registry.ended(ANN, 'web');
      started(registry, 'web');
      await shows(registry, '1 web');
    });

    it('drops the sessions of a gateway that has stopped or was killed', async () => {
      const [one, other, third] = [await fixture.gateway(), await fixture.gateway(), await fixture.gateway()];
      started(one.registry, 'web');
      started(other.registry, 'mobile');
      await shows(third.registry, '1 mobile', '1 web');
      await one.registry.stop();
      expect(await shown(third.registry)).toEqual(['1 mobile']);
      await other.kill();
      await shows(third.registry);
    });
  });

export interface LimiterFixture {
  /** Makes limiters that count together with those of every other node. */
  node(): Promise<LimiterFactory>;
  dispose(): Promise<void>;
}

export const limiterContract = (name: string, open: () => Promise<LimiterFixture>) =>
  describe(`limits counted in ${name}`, () => {
    let fixture: LimiterFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.dispose());
    const bucket = async (bucketName = 'send', count = 3) => (await fixture.node())(bucketName, { count, seconds: 60 });

    it('hold over all nodes, separately for each key and each bucket', async () => {
      const [one, other, reactions] = [await bucket(), await bucket(), await bucket('reaction')];
      const allowed = async (limiter: typeof one, key: string, times: number) => {
        const taken = await Promise.all(Array.from({ length: times }, () => limiter.take(key)));
        return taken.filter((counted) => counted.allowed).length;
      };
      expect(await allowed(one, ANN, 2)).toBe(2);
      expect(await allowed(other, ANN, 5)).toBe(1);
      expect(await allowed(one, ANN, 1)).toBe(0);
      expect(await allowed(other, BOB, 5)).toBe(3);
      expect(await allowed(reactions, ANN, 1)).toBe(1);
    });

    it('say what is left without counting, also to another node', async () => {
      const [one, other] = [await bucket(), await bucket()];
      expect(await one.look(ANN)).toEqual({ allowed: true, remaining: 3, resetMs: 0 });
      await one.take(ANN);
      for (const limiter of [one, other, one]) {
        const left = await limiter.look(ANN);
        expect([left.allowed, left.remaining]).toEqual([true, 2]);
        expect(left.resetMs).toBeGreaterThan(50_000);
      }
      for (let n = 0; n < 3; n += 1) await other.take(ANN);
      expect(await one.look(ANN)).toMatchObject({ allowed: false, remaining: 0 });
    });

    it('count in a window of its own length where one is given', async () => {
      const [one, other] = [await bucket('slow', 1), await bucket('slow', 1)];
      const taken = await one.take(ANN, 20_000);
      expect(taken.allowed).toBe(true);
      expect(taken.resetMs).toBeGreaterThan(19_000_000);
      expect(await other.take(BOB, 5)).toMatchObject({ allowed: true });
      const again = await other.take(ANN, 5);
      expect(again.allowed).toBe(false);
      expect(again.resetMs).toBeGreaterThan(19_000_000);
    });

    it('report what is left, and when the window ends', async () => {
      const limiter = await bucket();
      const taken = [];
      for (let n = 0; n < 4; n += 1) taken.push(await limiter.take(ANN));
      expect(taken.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
        [true, 2],
        [true, 1],
        [true, 0],
        [false, 0],
      ]);
      for (const { resetMs } of taken) {
        expect(resetMs).toBeGreaterThan(50_000);
        expect(resetMs).toBeLessThanOrEqual(60_000);
      }
    });
  });
