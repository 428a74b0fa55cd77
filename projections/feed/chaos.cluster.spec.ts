/**
 * The feed on a Redis that is cut, slow, silent, failed over and killed: no event is missed, doubled or out of order.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog, Tail } from '../../log/port.ts';
import { openSqliteEventLog } from '../../log/sqlite/event-log.ts';
import { newEvent, stored } from '../../log/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import { type NewParleyEvent, type ParleyEvent, versionOf } from '../../schemas/events/catalogue.ts';
import { channelAudience, channelStream, memberStream } from '../../schemas/streams.ts';
import type { OwnServices } from '../../services/port.ts';
import { privateServices } from '../../services/private.ts';
import { openRedis, type Redis } from '../../stores/redis/connection.ts';
import { randomName } from '../../stores/redis/testing.ts';
import { partitionOf } from '../engine/partitions.ts';
import { deliverySink } from './publish.ts';
import { feedLimits, type MendingFeedReader } from './reader.ts';
import { type RoughWay, roughWay } from './redis.testing.ts';
import { openFeedPublisher, openFeedTransport } from './redis.ts';
import { aReader, CountedFills, Handed } from './testing.ts';

const PARTITIONS = 4;
const CHANNELS = Array.from({ length: 12 }, (_, n) => String(100 + n));
/**
 * One reader starts with the first of these subscriptions, the other with the last; both add the rest during the chaos.
 */
const HEARD = [CHANNELS.slice(0, 6), CHANNELS.slice(6)];
const GUILD = '20';

const joined = (userId: string): NewParleyEvent => ({
  ...newEvent(memberStream(GUILD, userId), 1),
  type: 'member-joined',
  schema: versionOf('member-joined'),
  data: { guildId: GUILD, userId, invite: null, announcedIn: null },
});

interface Gateway {
  readonly reader: MendingFeedReader;
  readonly handed: Handed;
  readonly metrics: CountedFills;
  /** The position of each stream beyond which every event must arrive. */
  readonly heard: Map<string, number>;
}

const listenTo = async ({ reader, heard }: Omit<Gateway, 'handed'>, channel: string): Promise<void> => {
  await reader.listen([channelAudience(channel)]);
  heard.set(channelStream(channel), await reader.atRest(async (position) => position));
};

/** Same sequence for the same seed (mulberry32). */
const randomNumbers = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

describe('the delivery feed on a bad day of Redis', () => {
  let redis: OwnServices;
  /** A publisher that missed the fail-over writes here: everything is acknowledged, and nobody listens. */
  let former: OwnServices;
  let log: EventLog;
  /** The connections of each projector and each gateway. */
  let ways: Readonly<Record<'one' | 'other' | 'here' | 'there', RoughWay>>;
  const connections: Redis[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'parley-feed-'));

  beforeAll(async () => {
    redis = await privateServices();
    await redis.start('redis');
    former = await privateServices();
    await former.start('redis');
    const way = () => roughWay(redis.ports.redis);
    ways = { one: await way(), other: await way(), here: await way(), there: await way() };
    log = await openSqliteEventLog({ clock: systemClock, directory });
  });
  afterAll(async () => {
    for (const one of connections) one.close();
    for (const one of Object.values(ways ?? {})) await one.close();
    await log?.close();
    rmSync(directory, { recursive: true });
    await redis?.destroy();
    await former?.destroy();
  });

  const connect = (way: RoughWay): Redis => {
    const one = openRedis({ clock: systemClock, url: way.url });
    connections.push(one);
    return one;
  };

  /** Publishes new events of the log in its partitions. */
  const projector = (way: RoughWay, namespace: string, partitions: readonly number[]): Tail & { dropped: number } => {
    const sink = deliverySink({
      publisher: openFeedPublisher(connect(way), namespace),
      log,
      partitions: PARTITIONS,
      onDropped: () => {
        running.dropped += 1;
      },
      onUnreadable: () => {},
    });
    let from = 0;
    const publish = async (events: readonly ParleyEvent[]) => {
      const through = events.at(-1)!.position;
      await Promise.all(
        partitions.map((partition) => {
          const own = events.filter((event) => partitionOf(event.stream, PARTITIONS) === partition);
          return sink.commit({ partition, from, events: own, through });
        }),
      );
      from = through;
    };
    const tail = log.tail(0, publish, (error) => {
      throw error;
    });
    const running = { stop: () => tail.stop(), dropped: 0 };
    return running;
  };

  it('continues from the log, and recovers', async () => {
    const seed = Date.now() % 1_000_000;
    const random = randomNumbers(seed);
    const namespace = randomName();
    const projectors = [projector(ways.one, namespace, [0, 1]), projector(ways.other, namespace, [2, 3])];
    const gateways: Gateway[] = [];
    for (const [n, channels] of HEARD.entries()) {
      const handed = new Handed();
      const metrics = new CountedFills();
      const reader = aReader({
        log,
        transport: openFeedTransport(connect(n === 0 ? ways.here : ways.there), namespace),
        partitions: PARTITIONS,
        metrics,
        limits: feedLimits,
      });
      await reader.start(handed.onBatch);
      const gateway = { reader, handed, metrics, heard: new Map<string, number>() };
      await Promise.all(channels.map((channel) => listenTo(gateway, channel)));
      gateways.push(gateway);
    }

    const sequences = new Map<string, number>();
    let members = 0;
    /** Appends some events, then waits until both readers are near, so that the log never runs away from them. */
    const write = async () => {
      const appends = Array.from({ length: 8 }, async () => {
        if (random(10) === 0) {
          members += 1;
          const event = joined(String(1000 + members));
          stored(await log.append({ stream: event.stream, expected: 0, events: [event] }));
          return;
        }
        const stream = channelStream(CHANNELS[random(CHANNELS.length)]!);
        const expected = sequences.get(stream) ?? 0;
        sequences.set(stream, expected + 1);
        stored(await log.append({ stream, expected, events: [newEvent(stream, expected + 1)] }));
      });
      await Promise.all(appends);
      await wait(random(8));
    };
    const writeFor = async (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end; ) await write();
    };
    const catchUp = async () => {
      const head = await log.head();
      for (const { reader } of gateways)
        await expect.poll(() => reader.position, { timeout: 20_000 }).toBeGreaterThanOrEqual(head);
    };
    const filled = (reason: string) =>
      gateways.map(({ metrics }) => metrics.fills.filter((one) => one === reason).length);
    const fillsSoFar = () => gateways.map(({ metrics }) => metrics.fills.length);
    /** Resolves once new events arrive through Redis alone. A stalled machine reads the log, so one calm stretch counts. */
    const calmFor = (ms: number) =>
      expect
        .poll(
          async () => {
            const before = fillsSoFar();
            await writeFor(ms);
            await catchUp();
            return fillsSoFar().every((count, n) => count === before[n]);
          },
          { message: `seed ${seed}`, timeout: 15_000 },
        )
        .toBe(true);

    // Once both ends are connected, nothing is read from the log.
    await calmFor(1000);

    // Connections of publishers and readers are slow and cut at random moments.
    const all = Object.values(ways);
    const latecomers: Promise<void>[] = [];
    for (let n = 0; n < 30; n += 1) {
      // Each is cut at least once.
      const one = all[n] ?? all[random(all.length)]!;
      one.delay(random(2) * random(40));
      if (n < all.length || random(3) > 0) one.cut();
      if (n % 5 === 0)
        for (const [which, gateway] of gateways.entries())
          latecomers.push(listenTo(gateway, HEARD[1 - which]![n / 5]!));
      for (let m = random(8); m >= 0; m -= 1) await write();
    }
    for (const one of all) one.delay(0);
    await Promise.all(latecomers);
    expect(all.map((one) => one.cuts > 0)).toEqual([true, true, true, true]);
    await catchUp();

    // For seconds nothing from one publisher arrives, and it does not know.
    const staleBefore = filled('stale');
    ways.one.swallow(true);
    await writeFor(2500);
    ways.one.swallow(false);
    for (const [n, count] of filled('stale').entries()) expect(count).toBeGreaterThan(staleBefore[n]!);
    await catchUp();

    // The other publisher still writes to the old master.
    const staleThen = filled('stale');
    ways.other.leadTo(former.ports.redis);
    await writeFor(1500);
    ways.other.leadTo(redis.ports.redis);
    await writeFor(300);
    await catchUp();
    for (const [n, count] of filled('stale').entries()) expect(count).toBeGreaterThan(staleThen[n]!);

    // A reader receives nothing although its connection stays open.
    const [deaf] = filled('stale');
    ways.here.swallow(true);
    await writeFor(1500);
    ways.here.swallow(false);
    await catchUp();
    expect(filled('stale')[0]).toBeGreaterThan(deaf!);

    // The server is killed and comes back empty.
    await redis.kill('redis');
    await writeFor(1000);
    await redis.start('redis');
    await writeFor(500);
    await catchUp();

    // Everything works again.
    await calmFor(300);

    for (const one of projectors) await one.stop();
    const written = await readAll(log);
    for (const { reader, handed, heard } of gateways) {
      await reader.stop();
      expect(heard.size).toBe(CHANNELS.length);
      const { positions } = handed;
      expect(positions, `seed ${seed}`).toEqual([...new Set(positions)].sort((a, b) => a - b));
      const promised = (events: readonly ParleyEvent[]) =>
        events
          .filter(({ type, stream, position }) => type === 'member-joined' || position > heard.get(stream)!)
          .map(({ position }) => position);
      expect(promised(handed.events), `seed ${seed}`).toEqual(promised(written));
    }
    for (const reason of ['chain', 'stale', 'reconnect'])
      for (const count of filled(reason)) expect(count, reason).toBeGreaterThan(0);
    expect(projectors.every((one) => one.dropped > 0)).toBe(true);
  });
});

const readAll = async (log: EventLog): Promise<readonly ParleyEvent[]> => {
  const events: ParleyEvent[] = [];
  for (let after = 0, head = await log.head(); after < head; ) {
    const page = await log.readAll({ after, limit: 5000 });
    events.push(...page.events);
    after = page.through;
  }
  return events;
};
