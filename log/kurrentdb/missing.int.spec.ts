/** Streams of ours that an operator has truncated or deleted: no reader takes them for short or empty ones. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import type { EventLog } from '../port.ts';
import { batch, collector, sequences, stored, unexpected } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';
import { StandIn } from './stand-in/testing.ts';

let server: StandIn;
let log: EventLog;
beforeEach(async () => {
  server = await new StandIn().start();
  log = await openKurrentEventLog({ clock: systemClock, url: server.url });
  stored(await log.append(batch('channel-1', 0, 6)));
  server.store.now += 61;
  stored(await log.append(batch('channel-1', 6, 4)));
});
afterEach(async () => {
  await log.close();
  await server.stop();
});

const forwards = (from?: number) => log.readStream({ stream: 'channel-1', ...(from && { from }), limit: 100 });
const backwards = (limit = 100) => log.readStream({ stream: 'channel-1', direction: 'backwards', limit });

describe.each([
  ['$maxCount', () => server.store.set('channel-1', { maxCount: 4 })],
  ['$tb', () => server.store.set('channel-1', { truncateBefore: 6 })],
  ['$maxAge', () => server.store.set('channel-1', { maxAge: 60 })],
  [
    '$maxAge, and scavenging',
    () => {
      server.store.set('channel-1', { maxAge: 60 });
      server.store.scavenge();
    },
  ],
  [
    '$maxCount, and scavenging',
    () => {
      server.store.set('channel-1', { maxCount: 4 });
      server.store.scavenge();
    },
  ],
])('a stream cut by %s', (_, cut) => {
  it('fails reads of what is gone, with the stream, the place and what an operator did', async () => {
    cut();
    const words = /"channel-1" begins at sequence 7, after 1 was asked for.*\$maxCount.*backup/;
    await expect(forwards()).rejects.toThrow(words);
    await expect(forwards(4)).rejects.toThrow('begins at sequence 7, after 4 was asked for');
    await expect(backwards()).rejects.toThrow('begins at sequence 7');
    const earlier = { stream: 'channel-1', from: 5, direction: 'backwards', limit: 3 } as const;
    await expect(log.readStream(earlier)).rejects.toThrow('is empty');
  });

  it('answers reads of what is left', async () => {
    cut();
    expect(sequences(await forwards(7))).toEqual([7, 8, 9, 10]);
    expect(sequences(await backwards(4))).toEqual([10, 9, 8, 7]);
    expect(await forwards(11)).toEqual([]);
    expect(await log.streamHead('channel-1')).toMatchObject({ sequence: 10 });
  });
});

describe('a stream deleted softly', () => {
  it('is no empty channel, neither before nor after scavenging, nor when it goes on', async () => {
    server.store.softDelete('channel-1');
    const words = '"channel-1" was deleted by an operator (a soft delete)';
    for (const read of [forwards, () => backwards(), () => log.streamHead('channel-1')])
      await expect(read()).rejects.toThrow(words);
    server.store.scavenge();
    await expect(log.streamHead('channel-1')).rejects.toThrow(words);
    server.store.append('channel-1', 'any', [{ ...server.proposals.at(-1)!.events[0]!, id: crypto.randomUUID() }]);
    await expect(forwards()).rejects.toThrow('begins at sequence 11');
  });
});

describe('a stream of which nothing is left', () => {
  it('is an error for every read', async () => {
    server.store.set('channel-1', { truncateBefore: 10 });
    for (const read of [forwards, () => forwards(5), () => backwards(), () => log.streamHead('channel-1')])
      await expect(read()).rejects.toThrow('"channel-1" is empty: an operator');
  });
});

describe('a stream that our user may no longer read', () => {
  it('fails its reads with the stream and what an operator did, and no other; tails go on', async () => {
    const seen = collector();
    const tail = log.tail(0, seen.onEvents, unexpected);
    server.store.set('channel-1', { denied: ['read'] });
    const words = /"channel-1" may not be read by our user, who may read others: .*\$acl/;
    for (const read of [forwards, () => backwards(), () => log.streamHead('channel-1')])
      await expect(read()).rejects.toThrow(words);
    stored(await log.append(batch('channel-2', 0)));
    expect(sequences(await log.readStream({ stream: 'channel-2', limit: 10 }))).toEqual([1]);
    await seen.until(11);
    await tail.stop();
    server.store.set('channel-1', {});
    expect(await forwards()).toHaveLength(10);
  });

  it('and that tells the epoch ends the opening with the same words', async () => {
    server.store.set('parley-log', { denied: ['read'] });
    await expect(openKurrentEventLog({ clock: systemClock, url: server.url })).rejects.toThrow(
      /"parley-log" may not be/,
    );
  });
});

describe('a tombstoned stream', () => {
  it('is told as such', async () => {
    server.store.tombstone('channel-1');
    await expect(forwards()).rejects.toThrow('deleted for good by an operator');
    await expect(log.streamHead('channel-1')).rejects.toThrow('deleted for good by an operator');
    await expect(log.streamHeads(['channel-2', 'channel-1'])).rejects.toThrow('deleted for good by an operator');
  });
});

describe('a stream with a hole', () => {
  it('is told with the place', async () => {
    server.store.scavenge(({ stream, revision }) => stream === 'channel-1' && revision === 4);
    await expect(forwards()).rejects.toThrow('"channel-1" has a gap beside sequence 6');
    await expect(backwards()).rejects.toThrow('"channel-1" has a gap beside sequence 4');
    expect(sequences(await forwards(6))).toEqual([6, 7, 8, 9, 10]);
  });
});

describe('a stream that never was', () => {
  it('is empty', async () => {
    expect(await log.readStream({ stream: 'channel-2', limit: 10 })).toEqual([]);
    expect(await log.streamHead('channel-2')).toEqual({ stream: 'channel-2', sequence: 0, position: 0 });
  });
});

describe("the log's notes, emptied or deleted", () => {
  it.each([
    ['truncated', () => server.store.set('parley-log', { truncateBefore: 1 })],
    ['tombstoned', () => server.store.tombstone('parley-log')],
    ['deleted softly', () => server.store.softDelete('parley-log')],
  ])('when %s, end the opening with words', async (_, cut) => {
    cut();
    await expect(openKurrentEventLog({ clock: systemClock, url: server.url })).rejects.toThrow(/parley-log/);
  });
});
