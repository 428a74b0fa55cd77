import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelFold } from '../domain/channel.ts';
import type { LogReader, ReadStream } from '../log/port.ts';
import { unexpected } from '../log/testing.ts';
import { Story } from '../projections/testing.ts';
import { channelStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { StateStore } from './states.ts';
import { right } from './testing.ts';
import { decideTurn, type Since } from './turn.ts';

let instance: Instance;
let stream: string;
let ann: string;
let channel: string;
beforeEach(async () => {
  instance = await Instance.open();
  ann = await instance.register('ann');
  channel = (await instance.guild(ann)).channel;
  stream = channelStream(channel);
});
afterEach(() => instance.close());

const talk = async (count: number) => {
  const sent = Array.from({ length: count }, (_, i) => instance.send(ann, channel, `${i}`, { key: `k${i}` }));
  for (const answer of await Promise.all(sent)) right(answer);
  await instance.settled();
};

/** The log, with a record of the pages read from it. @param most events of a page */
const watched = (most = 1000) => {
  const reads: ReadStream[] = [];
  const log = Object.create(instance.log, {
    readStream: {
      value: (query: ReadStream) => {
        reads.push(query);
        return instance.log.readStream({ ...query, limit: Math.min(query.limit, most) });
      },
    },
  }) as LogReader;
  return { log, reads };
};

const fullFold = async () => {
  let state = channelFold.initial();
  for (const event of await instance.stream(stream)) state = channelFold.evolve(state, event);
  return state;
};

describe('kept states', () => {
  it('are as many as fit into their bytes, the latest used first', async () => {
    const keysOf = (bytes: number) => {
      const state = channelFold.initial();
      for (let i = 0; state.keys.bytes < bytes; i += 1) state.keys.remember(`${ann}:message:${i}`, i + 1, 0);
      return state;
    };
    const { log, reads } = watched();
    const states = new StateStore(log, { latest: async () => undefined }, 100_000);
    const isKept = async (name: string) => {
      reads.length = 0;
      await states.take(name);
      return reads.length === 0;
    };
    for (const name of ['channel-1', 'channel-2', 'channel-3']) states.keep(name, keysOf(40_000));
    expect(await isKept('channel-1')).toBe(false);
    expect(await isKept('channel-3')).toBe(true);
    states.keep('channel-4', keysOf(200_000));
    expect(await isKept('channel-4')).toBe(false);
  });
});

describe('the events that a timeline does not hold yet', () => {
  it('are read a page at a time, and no page before it is asked for', async () => {
    await talk(30);
    const { log, reads } = watched(8);
    const sizes: number[] = [];
    const decide = async (_: never, __: unknown, since: Since) => {
      for await (const page of since(0)) {
        sizes.push(page.length);
        expect(reads).toHaveLength(sizes.length);
        if (sizes.length === 3) break;
      }
      return either.right([]);
    };
    const cause = { actor: ann, key: 'k', correlationId: 'c', causationId: null, traceparent: null };
    const deps = {
      log,
      keys: instance.keys,
      fold: new StateStore(log, { latest: async () => undefined }).fold(stream),
    };
    const state = { ...channelFold.initial(), sequence: 31 };
    await decideTurn(stream, [{ cause, decide }], [either.right(undefined)], state, {
      ...deps,
      now: 0,
      maxAppendBytes: Number.POSITIVE_INFINITY,
      onFailure: unexpected,
    });
    expect(sizes).toEqual([8, 8, 8]);
  });
});

describe('a cold state', () => {
  it('equals the whole stream folded when it is loaded from its snapshot and the later events', async () => {
    await talk(1300);
    const snapshot = await instance.views.snapshots.latest(stream);
    expect(snapshot!.sequence).toBeGreaterThanOrEqual(500);
    const { log, reads } = watched();
    const state = await new StateStore(log, instance.views.snapshots).take(stream);
    expect(state).toEqual(await fullFold());
    expect(reads[0]?.from).toBe(snapshot!.sequence + 1);
  });

  it('is folded from the beginning when there is no snapshot or one of another version', async () => {
    await talk(600);
    const snapshot = (await instance.views.snapshots.latest(stream))!;
    const outdated = { ...snapshot, version: snapshot.version - 1, state: { nonsense: true } };
    for (const latest of [undefined, outdated]) {
      const { log, reads } = watched();
      const state = await new StateStore(log, { latest: async () => latest }).take(stream);
      expect(state).toEqual(await fullFold());
      expect(reads[0]?.from).toBe(1);
    }
  });

  it('has all events, however large they are', async () => {
    const story = new Story();
    for (let n = 0; n < 120; n += 1) story.post('30', '10', { nonce: '😀'.repeat(16_384) });
    const store = new StateStore(story.log, { latest: async () => undefined });
    expect((await store.take('channel-30')).sequence).toBe(120);
  });

  it('is the initial state for a stream that does not exist', async () => {
    const store = new StateStore(instance.log, instance.views.snapshots);
    expect(await store.take('channel-1')).toEqual(channelFold.initial());
    await expect(store.take('nothing-1')).rejects.toThrow('nothing-1');
  });

  it('is read again after it was taken and not handed back', async () => {
    await talk(3);
    const { log, reads } = watched();
    const store = new StateStore(log, instance.views.snapshots);
    const state = await store.take(stream);
    await store.take(stream);
    expect(reads).toHaveLength(2);
    store.keep(stream, state);
    expect(await store.take(stream)).toBe(state);
    expect(reads).toHaveLength(2);
  });

  it('decides like a warm one: keys are known and numbers continue', async () => {
    await talk(700);
    await instance.reopen();
    const known = right(await instance.send(ann, channel, '3', { key: 'k3' }));
    expect(known.result).toMatchObject({ ordinal: 4 });
    expect(right(await instance.send(ann, channel, 'new')).result).toMatchObject({ ordinal: 701 });
  });
});
