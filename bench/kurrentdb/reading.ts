/** How much of the bare client's rate readers of the log get from KurrentDB, and what an event costs this process. */

import {
  type AllStreamRecordedEvent,
  type EventStoreDBClient,
  excludeSystemEvents,
  type ReadPosition,
  START,
} from '@eventstore/db-client';
import type { EventLog } from '../../log/port.ts';
import { type Bench, type Measured, median, type Reach, round } from '../bench.ts';
import { type Place, withPlace } from './place.ts';
import { write } from './writers.ts';

const LOAD = { streams: 64, each: 50 };
const TURNS = 3;
const EVENTS = LOAD.streams * LOAD.each * TURNS;
const ROUNDS = 4;
/** As the relay and the replay ask for. */
const PAGE = 1_000;

/** What was appended last: everything beyond `after`, up to `last`. */
interface Range {
  readonly after: number;
  readonly last: number;
}

type Read = (range: Range) => Promise<void>;

const appendAll = async (log: EventLog): Promise<Range> => {
  const after = await log.head();
  await write(log, LOAD, (done) => done < TURNS);
  return { after, last: await log.head() };
};

const placeOf = ({ after }: Range): ReadPosition =>
  after === 0 ? START : { commit: BigInt(after), prepare: BigInt(after) };

interface Emitting {
  on(event: 'data', listener: (item: { readonly event?: AllStreamRecordedEvent }) => void): unknown;
  on(event: 'error', listener: (failure: Error) => void): unknown;
}

const arrival = (from: Emitting, { last }: Range): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = BigInt(last);
    from.on('data', ({ event }) => {
      if (event !== undefined && event.position.commit >= end) resolve();
    });
    from.on('error', reject);
  });

const bareRead =
  (client: EventStoreDBClient): Read =>
  async (range) => {
    const read = client.readAll({ fromPosition: placeOf(range), requiresLeader: true });
    await arrival(read, range);
    await read.cancel();
  };

const bareSubscription =
  (client: EventStoreDBClient): Read =>
  async (range) => {
    const from = { fromPosition: placeOf(range), requiresLeader: true, filter: excludeSystemEvents() };
    const subscription = client.subscribeToAll(from);
    await arrival(subscription, range);
    await subscription.unsubscribe();
  };

const pages =
  (log: EventLog): Read =>
  async ({ after, last }) => {
    for (let through = after; through < last; ) ({ through } = await log.readAll({ after: through, limit: PAGE }));
  };

const tail =
  (log: EventLog): Read =>
  async ({ after, last }) => {
    let stop = async () => {};
    await new Promise<void>((resolve, reject) => {
      const onEvents = async (events: readonly { readonly position: number }[]): Promise<void> => {
        if (events.at(-1)!.position >= last) resolve();
      };
      const tail = log.tail(after, onEvents, reject);
      stop = () => tail.stop();
    });
    await stop();
  };

interface Cost {
  readonly perSecond: number;
  /** Milliseconds of this process for 1,000 events. */
  readonly cpuMs: number;
  /** Records that the stand-in read for one event; 0 for a real server. */
  readonly records: number;
}

const costOf = async ({ standIn }: Place, read: Read, range: Range): Promise<Cost> => {
  const recordsRead = async () => (await standIn?.recordsRead(null)) ?? 0;
  const before = await recordsRead();
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await read(range);
  const ms = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: (EVENTS * 1_000) / ms,
    cpuMs: (user + system) / EVENTS,
    records: ((await recordsRead()) - before) / EVENTS,
  };
};

/** Rates where a real server sets them; the stand-in is too slow for that, so there, the cost to this process. */
const compare = async (place: Place, ours: Read, bare: Read): Promise<Measured> => {
  const range = await appendAll(place.log);
  const costs: { ours: Cost; bare: Cost }[] = [];
  for (let i = 0; i < ROUNDS; i += 1)
    costs.push({ bare: await costOf(place, bare, range), ours: await costOf(place, ours, range) });
  // The first round compiles the code.
  const measured = costs.slice(1);
  const middle = (of: (costs: { ours: Cost; bare: Cost }) => number): number => median(measured.map(of));
  const isReal = place.standIn === undefined;
  return {
    figures: {
      'events/s': round(middle(({ ours }) => ours.perSecond)),
      'bare events/s': round(middle(({ bare }) => bare.perSecond)),
      'CPU ms for 1,000 events': round(
        middle(({ ours }) => ours.cpuMs),
        1,
      ),
      'bare CPU ms': round(
        middle(({ bare }) => bare.cpuMs),
        1,
      ),
      ...(!isReal && {
        'records read for each event': round(
          middle(({ ours }) => ours.records),
          2,
        ),
      }),
    },
    ratio: middle(({ ours, bare }) => (isReal ? ours.perSecond / bare.perSecond : bare.cpuMs / ours.cpuMs)),
  };
};

const readingBench = (
  url: string | undefined,
  name: string,
  title: string,
  ours: (log: EventLog) => Read,
  bare: (client: EventStoreDBClient) => Read,
): Bench => ({
  name,
  title: `${title}, ${url === undefined ? 'CPU of the bare one / of ours' : 'events/s of ours / of the bare one'}`,
  ...(url !== undefined && { reach: { comparison: '>=', value: 0.9 } satisfies Reach }),
  run: () => withPlace(url, (place) => compare(place, ours(place.log), bare(place.bare))),
});

export const tailing = (url: string | undefined): Bench =>
  readingBench(url, 'log-kurrentdb-tail', 'tail and bare subscription that only counts', tail, bareSubscription);

export const reading = (url: string | undefined): Bench =>
  readingBench(url, 'log-kurrentdb-read', 'readAll in pages of 1,000 and bare read', pages, bareRead);
