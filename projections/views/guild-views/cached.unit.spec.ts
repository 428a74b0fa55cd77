import { describe, expect, it } from 'vitest';
import { NO_BOND } from '../../../schemas/events/relationship.ts';
import { Story } from '../../testing.ts';
import { CachedGuilds } from './cached.ts';
import type { GuildReader, MemberRow, UserRow } from './view.ts';

const [GUILD, ANN] = ['10', '1'];

/** A store whose one member comes and goes. It counts how often it is asked. */
const aStore = () => {
  const store = { member: undefined as MemberRow | undefined, asked: 0, held: 0, answering: Promise.resolve() };
  const reader = {
    member: async () => {
      store.asked += 1;
      const now = store.member;
      await store.answering;
      return now;
    },
  } as unknown as GuildReader;
  const cached = new CachedGuilds(reader, () => store.held);
  cached.hearsFrom(0);
  return { store, cached };
};

const answerLater = () => {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { resolve, promise };
};

const row: MemberRow = {
  guildId: GUILD,
  userId: ANN,
  joinedTime: 0,
  joinedAt: 1,
  roles: [],
  nick: null,
  timedOutUntil: null,
};

describe('cached guild views', () => {
  it('ask the store once for a row that exists', async () => {
    const { store, cached } = aStore();
    store.member = row;
    expect(await cached.member(GUILD, ANN)).toBe(row);
    expect(await cached.member(GUILD, ANN)).toBe(row);
    expect(store.asked).toBe(1);
  });

  it('ask the store once how people stand to each other, until one of the two changes it', async () => {
    let asked = 0;
    const relations = new Map<string, 1 | 2>();
    const reader = {
      relationsTo: async (_: string, people: readonly string[]) => {
        asked += 1;
        return new Map([...relations].filter(([id]) => people.includes(id)));
      },
    } as unknown as GuildReader;
    const cached = new CachedGuilds(reader, () => Number.MAX_SAFE_INTEGER);
    cached.hearsFrom(0);
    expect(await cached.relationsTo(ANN, ['2', '3'])).toEqual(new Map());
    expect(await cached.relationsTo(ANN, ['3'])).toEqual(new Map());
    expect(asked).toBe(1);
    relations.set('2', 2);
    const bond = { ...NO_BOND, blockedBy: ['2'] };
    cached.heard(new Story().relate('2', ANN, bond));
    expect(await cached.relationsTo(ANN, ['2', '3'])).toEqual(new Map([['2', 2]]));
    expect(await cached.relationsTo(ANN, ['2'])).toEqual(new Map([['2', 2]]));
    expect(asked).toBe(2);
  });

  it('ask again for a row that was missing', async () => {
    const { store, cached } = aStore();
    expect(await cached.member(GUILD, ANN)).toBeUndefined();
    store.member = row;
    expect(await cached.member(GUILD, ANN)).toBe(row);
  });

  it('drop what an event concerns, and cache nothing until the store holds the event', async () => {
    const { store, cached } = aStore();
    store.member = row;
    await cached.member(GUILD, ANN);
    const story = new Story();
    story.join(GUILD, ANN);
    const left = story.leave(GUILD, ANN);
    cached.heard(left);
    // The store lags: its row is returned, as without a cache, but not cached.
    expect(await cached.member(GUILD, ANN)).toBe(row);
    store.member = undefined;
    store.held = left.position;
    expect(await cached.member(GUILD, ANN)).toBeUndefined();
  });

  it('do not cache a row that the store read before it stored the change, however late it arrives', async () => {
    const { store, cached } = aStore();
    store.member = row;
    const left = new Story().leave(GUILD, ANN);
    cached.heard(left);
    const { resolve, promise } = answerLater();
    store.answering = promise;
    const reading = cached.member(GUILD, ANN);
    // The projector commits while the row is on its way.
    store.member = undefined;
    store.held = left.position;
    resolve();
    expect(await reading).toBe(row);
    expect(await cached.member(GUILD, ANN)).toBeUndefined();
  });

  it('do not cache users that the store read before it stored the change', async () => {
    const { resolve, promise } = answerLater();
    const story = new Story();
    const users = [{ id: ANN, kind: 'person' }] as unknown as UserRow[];
    let held = 0;
    let asked = 0;
    const reader = {
      users: async () => {
        asked += 1;
        await promise;
        return users;
      },
    } as unknown as GuildReader;
    const cached = new CachedGuilds(reader, () => held);
    cached.hearsFrom(0);
    const registered = story.user(ANN);
    cached.heard(registered);
    const reading = cached.users([ANN]);
    held = registered.position;
    resolve();
    await reading;
    await cached.users([ANN]);
    expect(asked).toBe(2);
  });

  it('cache nothing while the store lacks events from before this node began to receive them', async () => {
    const { store, cached } = aStore();
    cached.hearsFrom(10);
    store.member = row;
    store.held = 9;
    expect(await cached.member(GUILD, ANN)).toBe(row);
    store.member = undefined;
    store.held = 10;
    expect(await cached.member(GUILD, ANN)).toBeUndefined();
  });

  it('replace the administrator when an earlier registration reaches the store later', async () => {
    let first = '12';
    const reader = { administrator: async () => first } as unknown as GuildReader;
    const cached = new CachedGuilds(reader, () => 5);
    cached.hearsFrom(0);
    expect(await cached.administrator()).toBe('12');
    first = '11';
    cached.heard(new Story().user('11'));
    expect(await cached.administrator()).toBe('11');
  });

  it('do not cache a row if something changed during the read', async () => {
    const { store, cached } = aStore();
    store.member = row;
    const { resolve, promise } = answerLater();
    store.answering = promise;
    const reading = cached.member(GUILD, ANN);
    const left = new Story().leave(GUILD, ANN);
    store.held = left.position;
    cached.heard(left);
    resolve();
    expect(await reading).toBe(row);
    store.member = undefined;
    expect(await cached.member(GUILD, ANN)).toBeUndefined();
  });
});
