/** How fast the log appends to KurrentDB, what a tail in the same process costs it, and when the tail has the events. */

import { type AllStreamSubscription, END, excludeSystemEvents } from '@eventstore/db-client';
import type { EventLog } from '../../log/port.ts';
import { systemClock } from '../../schemas/clock.ts';
import { type Bench, median, quantile, type Reach, round } from '../bench.ts';
import { type Place, withPlace } from './place.ts';
import { type Load, until, write } from './writers.ts';

const LOADS: readonly Load[] = [1, 16, 64].flatMap((streams) => [1, 50].map((each) => ({ streams, each })));
const HEAVY: Load = { streams: 64, each: 50 };
const MS = 500;
const ROUNDS = 3;

/** Follows the log from its end on, and counts. */
interface Follower {
  /** Resolves once everything up to a position has arrived. */
  reached(position: number): Promise<void>;
  stop(): Promise<void>;
}

class Arrivals {
  private position = 0;
  private awaited = Number.POSITIVE_INFINITY;
  private arrived = () => {};

  add(position: number): void {
    this.position = position;
    if (position >= this.awaited) this.arrived();
  }

  reached(position: number): Promise<void> {
    if (this.position >= position) return Promise.resolve();
    this.awaited = position;
    return new Promise((resolve) => {
      this.arrived = resolve;
    });
  }
}

const tailing = async ({ log }: Place): Promise<Follower> => {
  const arrivals = new Arrivals();
  const tail = log.tail(
    await log.head(),
    async (events) => arrivals.add(events.at(-1)!.position),
    (failure) => {
      throw failure;
    },
  );
  return { reached: (position) => arrivals.reached(position), stop: () => tail.stop() };
};

const subscribing = async ({ bare }: Place): Promise<Follower> => {
  const arrivals = new Arrivals();
  const subscription: AllStreamSubscription = bare
    .subscribeToAll({ fromPosition: END, requiresLeader: true, filter: excludeSystemEvents() })
    .on('data', ({ event }) => arrivals.add(Number(event!.position.commit)));
  await new Promise<void>((resolve) => subscription.once('confirmation', resolve));
  return { reached: (position) => arrivals.reached(position), stop: () => subscription.unsubscribe() };
};

const alone = async (): Promise<Follower> => ({ reached: async () => {}, stop: async () => {} });

/** How fast a log appends beside a follower, and how long that follower still needs afterwards. */
const beside = async (
  place: Place,
  follow: (place: Place) => Promise<Follower>,
): Promise<{ perSecond: number; behindMs: number }> => {
  const follower = await follow(place);
  let last = 0;
  const perSecond = await write(place.log, HEAVY, until(MS), (_stream, _sequence, position) => {
    last = Math.max(last, position);
  });
  const ended = performance.now();
  await follower.reached(last);
  const behindMs = performance.now() - ended;
  await follower.stop();
  return { perSecond, behindMs };
};

export const appending = (url: string | undefined): Bench => ({
  name: 'log-kurrentdb-append',
  title: 'appends/s to 64 streams, 50 events each, with a tail in the same process / without',
  ...(url !== undefined && { reach: { comparison: '>=', value: 0.67 } satisfies Reach }),
  run: () =>
    withPlace(url, async (place) => {
      await write(place.log, HEAVY, until(MS));
      const figures: Record<string, number> = {};
      for (const load of LOADS) {
        const name = `appends/s of ${load.each} to ${load.streams} stream${load.streams === 1 ? '' : 's'}`;
        figures[name] = round(await write(place.log, load, until(MS)));
      }
      const rates: Record<'alone' | 'subscription' | 'tail', Awaited<ReturnType<typeof beside>>>[] = [];
      for (let i = 0; i < ROUNDS; i += 1)
        rates.push({
          alone: await beside(place, alone),
          subscription: await beside(place, subscribing),
          tail: await beside(place, tailing),
        });
      const ratio = (one: 'subscription' | 'tail') =>
        median(rates.map((rate) => rate[one].perSecond / rate.alone.perSecond));
      figures['of the last in rounds without a tail'] = round(median(rates.map(({ alone }) => alone.perSecond)));
      figures['with one'] = round(median(rates.map(({ tail }) => tail.perSecond)));
      figures['ms until that tail has all'] = round(median(rates.map(({ tail }) => tail.behindMs)));
      figures['ratio with a bare subscription instead'] = round(ratio('subscription'), 2);
      return { figures, ratio: ratio('tail') };
    }),
});

const LATENCY_LOAD: Load = { streams: 16, each: 1 };
const WARM_UP_MS = 500;
const LATENCY_MS = 2_000;

/** From each acknowledgement to the arrival in the tail, in milliseconds; 0 where the tail was first. */
const delays = async (log: EventLog): Promise<readonly number[]> => {
  const begun = performance.now();
  const acknowledged = new Map<string, number>();
  const arrived = new Map<string, number>();
  const tail = log.tail(
    await log.head(),
    async (events) => {
      const now = performance.now();
      for (const { stream, sequence } of events) arrived.set(`${stream}/${sequence}`, now);
    },
    (failure) => {
      throw failure;
    },
  );
  await write(log, LATENCY_LOAD, until(WARM_UP_MS + LATENCY_MS), (stream, sequence) => {
    if (performance.now() - begun > WARM_UP_MS) acknowledged.set(`${stream}/${sequence}`, performance.now());
  });
  const isMissing = () => [...acknowledged.keys()].some((event) => !arrived.has(event));
  while (isMissing()) await systemClock.delay(10);
  await tail.stop();
  return [...acknowledged].map(([event, at]) => Math.max(0, arrived.get(event)! - at));
};

export const tailLatency = (url: string | undefined): Bench => ({
  name: 'log-kurrentdb-latency',
  title: 'p50 from acknowledgement to tail, 16 streams',
  ...(url !== undefined && { reach: { comparison: '<', value: 5, unit: 'ms' } satisfies Reach }),
  run: () =>
    withPlace(url, async ({ log }) => {
      const measured = await delays(log);
      return {
        figures: {
          'p99 ms': round(quantile(measured, 0.99), 1),
          'events/s': round(measured.length / (LATENCY_MS / 1_000)),
        },
        ratio: median(measured),
      };
    }),
});
