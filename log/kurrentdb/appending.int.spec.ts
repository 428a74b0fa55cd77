/** What an append is answered, and when, whatever the server does. */

import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { fastest } from '../../stores/testing.ts';
import type { AppendRequest, EventLog } from '../port.ts';
import { batch, refusal, sequences, stored } from '../testing.ts';
import { type KurrentEventLogOptions, openKurrentEventLog } from './event-log.ts';
import { StandIn } from './stand-in/testing.ts';

/** Longer than a machine stalls. */
const patience = { answerMs: 5_000, triedMs: 20_000, silenceMs: 10_000 };
/** For what comes of a server that says nothing: it comes soon. */
const hasty = { answerMs: 250, triedMs: 800, silenceMs: 1_000 };
/** For what a server says each time: a busy machine takes a while to say it. */
const slowly = { ...hasty, answerMs: 5_000, triedMs: 1_300 };
/** A busy machine may be late by this. */
const LATE_MS = 700;

let server: StandIn;
let log: EventLog;
const others: { close(): Promise<void> }[] = [];
const open = async (options: Partial<KurrentEventLogOptions> = {}): Promise<EventLog> => {
  const opened = await openKurrentEventLog({ clock: systemClock, url: server.url, patience, ...options });
  others.push(opened);
  return opened;
};
beforeEach(async () => {
  server = await new StandIn().start();
  log = await open();
});
afterEach(async () => {
  for (const one of others.splice(0)) await one.close();
  await server.stop();
});

/** What is sent before the cut is noticed may be stored. */
const cut = async (): Promise<void> => {
  server.front.cutAll();
  await log.append(batch('other', 0));
};

let asked = 0;
const isAppending = async () => {
  asked += 1;
  return either.isRight(await log.append(batch(`other-${asked}`, 0)));
};
/** A hasty log gives up on appends while the machine stalls. */
const works = () => expect.poll(isAppending).toBe(true);

const msOf = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

/** One event whose data has this many bytes as JSON. */
const sized = (stream: string, bytes: number): AppendRequest => {
  const request = batch(stream, 0);
  const [event] = request.events;
  const without = Buffer.byteLength(JSON.stringify({ ...event!.data, pad: '' }));
  return { ...request, events: [{ ...event!, data: { ...event!.data, pad: 'x'.repeat(bytes - without) } } as never] };
};

describe('clocks', () => {
  it.each([-60_000, 60_000, 10 * 3_600_000])(
    'that differ by %i ms keep no append from being stored at once',
    async (ms) => {
      server.appends.clockAheadMs = ms;
      stored(await log.append(batch('channel-1', 0)));
      expect(server.proposals.filter(({ stream }) => stream === 'channel-1')).toHaveLength(1);
    },
  );
});

describe('a connection that takes bytes and answers nothing', () => {
  const appending = () => [...server.front.connections].filter(({ calls }) => calls.includes('append'));

  it('carries appends only, and is replaced: appends work again after one time-out', async () => {
    log = await open({ patience: { ...patience, answerMs: hasty.answerMs } });
    stored(await log.append(batch('channel-1', 0)));
    const [dead] = appending();
    expect(new Set(dead!.calls)).toEqual(new Set(['append']));
    dead!.freeze();
    const ms = await msOf(async () => stored(await log.append(batch('channel-1', 1))));
    expect(ms).toBeLessThan(patience.triedMs / 2);
    expect(appending().length).toBeGreaterThan(1);
    dead!.thaw();
    expect(sequences(await log.readStream({ stream: 'channel-1', limit: 10 }))).toEqual([1, 2]);
  });
});

describe('a server that does not answer', () => {
  const streams = Array.from({ length: 200 }, (_, n) => `channel-${n}`);
  beforeEach(async () => {
    log = await open({ patience: hasty });
    await works();
  });

  it('keeps no stream waiting for longer than one, the first as little as the last', async () => {
    server.front.freeze();
    const appended = () => Promise.all([...streams, ...streams].map((stream) => log.append(batch(stream, 0))));
    expect(await fastest(appended)).toBeLessThan(hasty.triedMs + LATE_MS);
    server.front.thaw();
  });

  it('is said to have stored nothing of what was never sent', async () => {
    server.front.freeze();
    const answers = await Promise.all(streams.map((stream) => log.append(batch(stream, 0))));
    const kinds = answers.map((answer) => refusal(answer).kind);
    server.front.thaw();
    expect(new Set(kinds)).toEqual(new Set(['unknown', 'unavailable']));
    // Some may be stored by now; of the others, none ever will be.
    await works();
    for (const [n, kind] of kinds.entries())
      if (kind === 'unavailable') expect(server.store.of(streams[n]!)).toBeUndefined();
  });

  it('holds up closing for no longer than one append', async () => {
    server.front.freeze();
    const waiting = streams.map((stream) => log.append(batch(stream, 0)));
    // One after another they would take minutes.
    expect(await msOf(() => log.close())).toBeLessThan(10_000);
    expect((await Promise.all(waiting)).every(either.isLeft)).toBe(true);
    server.front.thaw();
  });

  it('gets appends again as soon as it answers', async () => {
    log = await open();
    server.front.freeze();
    const waiting = log.append(batch('channel-1', 0));
    await expect.poll(() => [...server.front.connections].some(({ holds }) => holds)).toBe(true);
    server.front.thaw();
    stored(await waiting);
  });
});

describe('a stream that an operator has deleted', () => {
  it('softly is not acknowledged, and takes no more', async () => {
    stored(await log.append(batch('channel-1', 0, 5)));
    server.store.softDelete('channel-1');
    const other = await open();
    expect(refusal(await other.append(batch('channel-1', 0, 2)))).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(/operator .*"channel-1".* up to revision 6 .* up to revision 1/),
    });
    const after = refusal(await other.append(batch('channel-1', 2)));
    expect(after).toEqual({ kind: 'refused', reason: expect.stringContaining('operator') });
    expect(server.store.revisionOf('channel-1')).toBe(6);
    stored(await other.append(batch('channel-2', 0)));
  });

  it('softly, and whose answer was lost, is not called a conflict: the events are stored', async () => {
    log = await open({ patience: { ...patience, answerMs: hasty.answerMs } });
    stored(await log.append(batch('channel-1', 0, 5)));
    server.store.softDelete('channel-1');
    server.next('stored and not answered');
    expect(refusal(await log.append(batch('channel-1', 0, 2)))).toEqual({
      kind: 'unknown',
      reason: expect.stringContaining('operator'),
    });
  });

  it('for good is refused, with the reason', async () => {
    stored(await log.append(batch('channel-1', 0)));
    server.store.tombstone('channel-1');
    expect(refusal(await log.append(batch('channel-1', 1)))).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(/"channel-1" was deleted for good.*127\.0\.0\.1/),
    });
  });

  it('in part goes on where it was', async () => {
    stored(await log.append(batch('channel-1', 0, 5)));
    server.store.set('channel-1', { maxCount: 1 });
    stored(await log.append(batch('channel-1', 5, 2)));
    expect(server.store.revisionOf('channel-1')).toBe(6);
  });

  it('and that tells the epoch ends the opening with a sentence', async () => {
    await log.renewEpoch();
    server.store.set('parley-log', { truncateBefore: 2 });
    await expect(open()).rejects.toThrow(/operator .*parley-log/);
  });
});

describe('the size of an append', () => {
  it('may be exactly the limit, and is refused with both numbers beyond it', async () => {
    const { maxAppendBytes } = log;
    expect(maxAppendBytes).toBe(1_048_576);
    stored(await log.append(sized('channel-1', maxAppendBytes)));
    const before = server.proposals.length;
    expect(refusal(await log.append(sized('channel-2', maxAppendBytes + 1)))).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(/"channel-2" is too large: .* 1048577 bytes, .* 1048576/),
    });
    expect(server.proposals).toHaveLength(before);
  });

  it('is refused with the limit of a server that takes less than was said', async () => {
    const hopeful = await open({ maxAppendBytes: 8_388_608 });
    expect(refusal(await hopeful.append(sized('channel-1', 1_048_577)))).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(/"channel-1" is too large: .* 1048577 bytes, .*127\.0\.0\.1.* 1048576/),
    });
    stored(await hopeful.append(batch('channel-1', 0)));
  });

  it('is never split: 8 MiB are one message where the server takes them', async () => {
    server.appends.mostBytes = 8_388_608;
    const large = await open({
      maxAppendBytes: 8_388_608,
    });
    const before = server.pieces;
    stored(await large.append(sized('channel-1', 8_388_608)));
    expect(server.pieces).toBe(before + 1);
  });

  it('counts ids, types and metadata too where a message would be larger than any server takes', async () => {
    server.appends.mostBytes = 15_728_640;
    const large = await open({ maxAppendBytes: 15_728_640 });
    const many = batch('channel-1', 0, 4_000);
    const pad = 'x'.repeat(3_800);
    const request = {
      ...many,
      events: many.events.map((event) => ({ ...event, key: 'k'.repeat(300), data: { pad } }) as never),
    };
    const waiting = large.append(batch('other', 0));
    expect(refusal(await large.append(request))).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(/"channel-1" is too large: .* messages of 16777216/),
    });
    stored(await waiting);
    expect(server.batchStreams).toBe(2);
  });
});

describe('a refusal names its reason', () => {
  const kindOf = async (stream = 'channel-1') => refusal(await log.append(batch(stream, 0)));

  it('no right to a stream', async () => {
    server.next('access denied');
    expect(await kindOf()).toEqual({ kind: 'refused', reason: expect.stringMatching(/127.* no right .*"channel-1"/) });
  });

  it('no right to a stream that an operator has taken ($acl), until it is given back', async () => {
    stored(await log.append(batch('channel-1', 0)));
    server.store.set('channel-1', { denied: ['append'] });
    const answer = refusal(await log.append(batch('channel-1', 1)));
    expect(answer).toEqual({ kind: 'refused', reason: expect.stringMatching(/127.* no right .*"channel-1"/) });
    stored(await log.append(batch('channel-2', 0)));
    server.store.set('channel-1', {});
    stored(await log.append(batch('channel-1', 1)));
  });

  it('a full disk, which ends the server: what it took is unknown, then it cannot be reached, then it goes on', async () => {
    stored(await log.append(batch('channel-1', 0)));
    log = await open({ patience: hasty });
    await works();
    server.fillDisk(100);
    const taken = refusal(await log.append(batch('channel-1', 1)));
    expect(taken).toEqual({ kind: 'unknown', reason: expect.stringMatching(/not known whether.*127/) });
    expect(await kindOf('channel-2')).toEqual({
      kind: 'unavailable',
      reason: expect.stringMatching(/127.* cannot be reached: .*ECONNREFUSED/),
    });
    await server.start();
    await works();
    stored(await (await open()).append(batch('channel-1', 1)));
  });

  it('an empty name', async () => {
    expect(await kindOf('')).toEqual({ kind: 'refused', reason: expect.stringMatching(/127.* empty name/) });
  });

  it.each([
    ['unauthenticated', /127.* does not accept our user/],
    ['denied', /127.* no right to append/],
  ] as const)('a user who is %s', async (how, said) => {
    server.refuse(how);
    await cut();
    for (let n = 0; n < 3; n += 1)
      expect(await kindOf()).toEqual({ kind: 'refused', reason: expect.stringMatching(said) });
    server.refuse(undefined);
    stored(await log.append(batch('channel-1', 0)));
  });

  it('a write that times out at the server, which may be stored all the same', async () => {
    log = await open({ patience: hasty });
    server.next(...Array.from({ length: 40 }, () => 'timed out' as const));
    expect(await kindOf()).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(/127.* could not finish a write in time/),
    });
  });

  it('no quorum, until there is one again', async () => {
    log = await open({ patience: hasty });
    server.appends.writeMs = 200;
    server.appends.setQuorum(false);
    expect(await kindOf()).toMatchObject({ kind: 'unknown' });
    server.appends.setQuorum(true);
    log = await open();
    expect(await kindOf()).toEqual({ kind: 'conflict', actual: 1 });
  });

  it('a server that is gone', async () => {
    log = await open({ patience: slowly });
    await server.stop();
    await log.append(batch('other', 0));
    expect(await kindOf()).toEqual({
      kind: 'unavailable',
      reason: expect.stringMatching(/127.* cannot be reached: .*ECONNREFUSED/),
    });
    await server.start();
  });
});

describe('a node that does not lead', () => {
  const leads = (leader: StandIn | undefined) => ({
    leads: false,
    leader: leader && { host: '127.0.0.1', port: leader.port },
    gossip: () => {
      throw new Error('not asked');
    },
  });

  it('and knows no leader makes appends unavailable, with nothing stored', async () => {
    log = await open({ patience: slowly });
    server.membership = leads(undefined);
    await cut();
    const answers = await Promise.all(
      ['channel-1', 'channel-2', 'channel-3'].map((name) => log.append(batch(name, 0))),
    );
    for (const answer of answers)
      expect(refusal(answer)).toEqual({ kind: 'unavailable', reason: expect.stringMatching(/127.* not the leader/) });
  });

  it('may be the only one in the URL: appends go to the leader it names', async () => {
    const follower = await new StandIn().start();
    others.push({ close: () => follower.stop() });
    follower.membership = leads(server);
    const far = await open({ url: follower.url });
    stored(await far.append(batch('channel-1', 0)));
    server.front.cutAll();
    stored(await far.append(batch('channel-1', 1)));
    expect(follower.proposals).toEqual([]);
    expect(server.store.revisionOf('channel-1')).toBe(1);
  });

  it('any more sends its appends to the new leader', async () => {
    stored(await log.append(batch('channel-1', 0)));
    const next = await new StandIn().start();
    others.push({ close: () => next.stop() });
    next.store.catchUpWith(server.store);
    server.membership = leads(next);
    server.front.cutAll();
    stored(await log.append(batch('channel-1', 1)));
    expect(next.store.revisionOf('channel-1')).toBe(1);
  });
});
