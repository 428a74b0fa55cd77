/** The head, whatever others write behind ours, and with whatever leader. */

import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { EventLog } from '../port.ts';
import { batch, collector, sequences, stored, unexpected, upTo } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';
import { StandInCluster } from './stand-in/cluster.testing.ts';
import { fill } from './stand-in/filled.testing.ts';
import { StandIn } from './stand-in/testing.ts';

const patience = { answerMs: 400, triedMs: 8_000, silenceMs: 1_000 };

describe('behind the links of projections', () => {
  let server: StandIn;
  let log: EventLog;
  const links = (count: number) => server.store.system('$ce-channel', '$>', count);
  const sentBy = async (work: () => Promise<unknown>): Promise<number> => {
    const before = server.habits.recordsSent;
    await work();
    return server.habits.recordsSent - before;
  };

  beforeEach(async () => {
    server = await new StandIn().start();
  });
  afterEach(async () => {
    await log.close();
    await server.stop();
  });

  const open = async () => {
    log = await openKurrentEventLog({ clock: systemClock, url: server.url, patience });
  };

  it('the head is exact at the opening, and later costs a few records, whoever else writes', async () => {
    const last = fill(server.store, 1_000).at(-1)!;
    links(5_000);
    await open();
    expect(await log.head()).toBe(last);
    const other = await openKurrentEventLog({ clock: systemClock, url: server.url, patience });
    for (let n = 0; n < 5; n += 1) {
      const [event] = stored(await other.append(batch('channel-new', n)));
      links(2_000);
      expect(await sentBy(async () => expect(await log.head()).toBe(event!.position))).toBeLessThan(30);
    }
    expect(await sentBy(() => log.head())).toBeLessThan(30);
    await other.close();
  });

  it('stays exact beside tails, wherever these began', async () => {
    const own = fill(server.store, 100);
    await open();
    const tails = [0, own[50]!, own.at(-1)! + 1_000_000].map((after) => {
      const seen = collector();
      return { seen, tail: log.tail(after, seen.onEvents, unexpected) };
    });
    await tails[0]!.seen.until(100);
    let position = own.at(-1)!;
    for (let n = 0; n < 10; n += 1) {
      links(n * 700);
      expect(await log.head()).toBe(position);
      position = fill(server.store, 3, 1).at(-1)!;
      expect(await log.head()).toBe(position);
    }
    await Promise.all(tails.map(({ tail }) => tail.stop()));
  });

  it('a scan takes it once, not for each page, and is sent nothing of others', async () => {
    for (let n = 0; n < 50; n += 1) {
      fill(server.store, 100, 1);
      links(400);
    }
    await open();
    const { reads } = server;
    let count = 0;
    const sent = await sentBy(async () => {
      for (let after = 0, size = 500; size === 500; ) {
        const { events, through } = await log.readAll({ after, limit: 500 });
        [after, size] = [through, events.length];
        count += size;
      }
    });
    expect(count).toBe(5_000);
    // One to begin each of eleven pages, and few for the head at the end.
    expect(server.reads - reads).toBeLessThan(20);
    // A subscription is sent some more than its page.
    expect(sent).toBeLessThan(5_000 + 11 * 600);
  });
});

describe('in a cluster', () => {
  let cluster: StandInCluster;
  let log: EventLog;
  beforeEach(async () => {
    cluster = await new StandInCluster().start();
    log = await openKurrentEventLog({ clock: systemClock, url: cluster.url, patience });
  });
  afterEach(async () => {
    for (const { front } of cluster.nodes) front.thaw();
    await log.close();
    await cluster.stop();
  });

  /** The leader freezes, and another takes what is written meanwhile. */
  const appendElsewhere = async () => {
    stored(await log.append(batch('channel-1', 0, 5)));
    expect(await log.streamHead('channel-1')).toMatchObject({ sequence: 5 });
    cluster.freeze(0);
    cluster.elect(1);
    for (const connection of cluster.nodes[0]!.front.connections)
      if (connection.calls.includes('append')) connection.cut();
    stored(await log.append(batch('channel-1', 5, 84)));
  };

  const unlessUnavailable = <T>(read: Promise<T>): Promise<T | undefined> =>
    read.catch((failure: unknown) => {
      expect(failure).toBeInstanceOf(StoreUnavailable);
      return undefined;
    });

  it('a leader that was frozen is not read: what is acknowledged is answered, or nothing', async () => {
    await appendElsewhere();
    cluster.thaw(0);
    const head = await unlessUnavailable(log.streamHead('channel-1'));
    expect(head?.sequence ?? 89).toBe(89);
    const events = await unlessUnavailable(log.readStream({ stream: 'channel-1', limit: 100 }));
    expect(events?.length ?? 89).toBe(89);
    const page = await unlessUnavailable(log.readAll({ after: 0, limit: 100 }));
    expect(page?.events.length ?? 89).toBe(89);
    const position = await unlessUnavailable(log.head());
    await cluster.settle(0);
    expect(await log.streamHead('channel-1')).toMatchObject({ sequence: 89 });
    expect(await log.head()).toBe(position ?? (await log.streamHead('channel-1')).position);
  });

  it('a leader that dies is left for the next, by reads, appends and tails', async () => {
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    stored(await log.append(batch('channel-1', 0, 5)));
    await seen.until(5);
    await cluster.kill(0);
    cluster.elect(1);
    stored(await log.append(batch('channel-1', 5, 5)));
    await seen.until(10);
    expect((await log.streamHead('channel-1')).sequence).toBe(10);
    await cluster.restart(0);
    cluster.elect(0);
    const again = await log.append(batch('channel-1', 10));
    expect(either.isRight(again)).toBe(true);
    await seen.until(11);
    await tail.stop();
    expect(sequences(seen.events)).toEqual(upTo(11));
  });

  it('without any node reads are unavailable, nothing ends the process, and all goes on later', async () => {
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    stored(await log.append(batch('channel-1', 0)));
    await seen.until(1);
    for (const i of [0, 1, 2]) await cluster.kill(i);
    // Longer than the client looks for a node, so that nobody waits for its answer any more.
    await expect(log.head()).rejects.toThrow(StoreUnavailable);
    await cluster.restartAll();
    stored(await log.append(batch('channel-1', 1)));
    await seen.until(2);
    await tail.stop();
  });

  it('a URL that names only a follower is enough', async () => {
    stored(await log.append(batch('channel-1', 0, 5)));
    const follower = await openKurrentEventLog({ clock: systemClock, url: cluster.nodes[2]!.url, patience });
    expect(await follower.streamHead('channel-1')).toMatchObject({ sequence: 5 });
    const seen = collector();
    const tail = follower.tail(0, seen.onEvents, unexpected);
    stored(await follower.append(batch('channel-1', 5)));
    await seen.until(6);
    await tail.stop();
    await follower.close();
  });
});
