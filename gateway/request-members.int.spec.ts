/** Op 8: the members of a guild. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { StoreUnavailable } from '../schemas/errors.ts';
import type { GatewayClient, Payload } from '../test/support/gateway-client.ts';
import { EVERYTHING, guildWith, type Station, World } from './testing.ts';

const CROWD = 2_100;

describe('a request for members', () => {
  let world: World;
  let station: Station;
  let bot: GatewayClient;
  const crowd = Array.from({ length: CROWD }, (_, n) => String(10_000 + n));

  beforeAll(async () => {
    world = await World.open();
    const { story } = world;
    for (const id of ['1', '2', ...crowd]) story.user(id);
    story.user('3', 'bot', '1');
    guildWith(story, '10', '1', '2', '3');
    guildWith(story, '20', '1', '3', ...crowd);
    guildWith(story, '30', '1');
    station = await world.station();
    bot = await station.identified('3');
  });
  afterAll(() => world.close());

  const ids = (chunk: Payload): string[] => chunk.members.map(({ user }: Payload) => user.id);

  /** Sends the request and waits for all of its chunks. */
  const ask = async (d: object, client = bot): Promise<Payload[]> => {
    const before = client.dispatches('GUILD_MEMBERS_CHUNK').length;
    const chunks = () => client.dispatches('GUILD_MEMBERS_CHUNK').slice(before);
    client.write(8, d);
    await client.until(() => chunks().length > 0 && chunks().length === chunks()[0]!.d.chunk_count, 'all chunks');
    return chunks().map((frame) => frame.d);
  };

  it('for everybody is answered with chunks of a thousand, each member once, in the order of their ids', async () => {
    const chunks = await ask({ guild_id: '20', query: '', limit: 0, nonce: 'all' });
    expect(
      chunks.map(({ guild_id, chunk_index, chunk_count, nonce }) => [guild_id, chunk_index, chunk_count, nonce]),
    ).toEqual([0, 1, 2].map((index) => ['20', index, 3, 'all']));
    expect(chunks.map((chunk) => chunk.members.length)).toEqual([1000, 1000, 102]);
    expect(chunks.flatMap(ids).toSorted()).toEqual(['1', '3', ...crowd].toSorted());
    expect(chunks[0].members[0]).toMatchObject({
      user: { id: expect.any(String) },
      roles: [],
      deaf: false,
      mute: false,
      flags: 0,
    });
    expect(chunks[0]).not.toHaveProperty('presences');
    expect(chunks[0]).not.toHaveProperty('not_found');
  });

  it('carries the s that the session has, so that it never falls nor jumps', async () => {
    const { s } = bot.frames.findLast(({ op }) => op === 0)!;
    await ask({ guild_id: '10', query: '', limit: 0 });
    expect(bot.dispatches('GUILD_MEMBERS_CHUNK').at(-1)!.s).toBe(s);
  });

  it('may be for the first so many', async () => {
    expect((await ask({ guild_id: '20', query: '', limit: 1_001 })).map((chunk) => chunk.members.length)).toEqual([
      1000, 1,
    ]);
  });

  it('by id tells who is not there, and repeats the nonce', async () => {
    const [chunk] = await ask({ guild_id: '10', user_ids: ['2', '77', '3', '2'], presences: true, nonce: 'n' });
    expect(ids(chunk)).toEqual(['2', '3']);
    expect(chunk).toMatchObject({ chunk_index: 0, chunk_count: 1, not_found: ['77'], presences: [], nonce: 'n' });
  });

  it.each([
    ['numbers in lists', { guild_id: [10], user_ids: [2, 3] }, ['2', '3']],
    ['one id without a list', { guild_id: '10', user_ids: 2 }, ['2']],
    ['nulls', { guild_id: '10', query: null, user_ids: ['2'], limit: null, presences: null, nonce: null }, ['2']],
    ['neither query nor limit', { guild_id: '10' }, ['1', '2', '3']],
  ])('takes %s', async (_, d, expected) => {
    const [chunk] = await ask(d);
    expect(ids(chunk)).toEqual(expected);
    expect(chunk).not.toHaveProperty('nonce');
  });

  it('by the beginning of a name finds at most as many as asked for, and never more than a hundred', async () => {
    const shown = vi
      .spyOn(world.presenter, 'members')
      .mockImplementation(async (rows) =>
        rows.map(
          (row) => ({ user: { id: row.userId, username: `Ada${row.userId}`, global_name: null }, nick: null }) as never,
        ),
      );
    const search = async (query: string, limit: number) => ids((await ask({ guild_id: '20', query, limit }))[0]);
    expect(await search('aDA1000', 0)).toEqual(crowd.slice(0, 10));
    expect(await search('ada', 3)).toHaveLength(3);
    expect(await search('ada', 0)).toHaveLength(100);
    expect(await search('bob', 0)).toEqual([]);
    shown.mockRestore();
  });

  it('of a guild of others, or of none, is answered as if nobody were in it', async () => {
    for (const guild_id of ['30', '99']) {
      expect(await ask({ guild_id, query: '', limit: 0 })).toEqual([
        { guild_id, members: [], chunk_index: 0, chunk_count: 1 },
      ]);
      expect(await ask({ guild_id, user_ids: ['1'] })).toMatchObject([{ members: [], not_found: ['1'] }]);
    }
  });

  it('for several guilds is answered for each of them once', async () => {
    bot.write(8, { guild_id: ['10', 30, '10', '20'], user_ids: ['1'], nonce: 'each' });
    const found = (guildId: string) =>
      bot.dispatch('GUILD_MEMBERS_CHUNK', (d) => d.guild_id === guildId && d.nonce === 'each');
    expect(ids((await found('10')).d)).toEqual(['1']);
    expect((await found('30')).d).toMatchObject({ members: [], not_found: ['1'] });
    expect(ids((await found('20')).d)).toEqual(['1']);
    expect(bot.dispatches('GUILD_MEMBERS_CHUNK').filter(({ d }) => d.nonce === 'each')).toHaveLength(3);
  });

  it('by as many ids as a frame holds is answered for each of them', async () => {
    const many = ['1', ...Array.from({ length: 150 }, (_, n) => String(1_576_324_137_930_000_000n + BigInt(n)))];
    const [chunk] = await ask({ guild_id: '10', user_ids: many });
    expect(ids(chunk)).toEqual(['1']);
    expect(chunk.not_found).toEqual(many.slice(1));
  });

  it('for everybody needs the intent for members; by id it does not', async () => {
    const quiet = await station.identified('3', { intents: EVERYTHING & ~2 });
    expect(await ask({ guild_id: '10', query: '', limit: 0 }, quiet)).toMatchObject([{ members: [], chunk_count: 1 }]);
    expect(ids((await ask({ guild_id: '10', user_ids: ['2'] }, quiet))[0])).toEqual(['2']);
    await quiet.cut();
  });

  it('beyond the limit is told when it may be sent again; one by id does not count', async () => {
    world.listsAgainAfter = (userId, guildId) => (userId === '3' && guildId === '10' ? 12.5 : 0);
    bot.write(8, { guild_id: '10', query: '', limit: 0, nonce: 'x' });
    const limited = await bot.dispatch('RATE_LIMITED');
    expect(limited.d).toEqual({ opcode: 8, retry_after: 12.5, meta: { guild_id: '10', nonce: 'x' } });
    expect(await ask({ guild_id: '10', user_ids: ['2'] })).toHaveLength(1);
    world.listsAgainAfter = () => 0;
  });

  it('is told to be sent again while a store is away', async () => {
    const read = vi.spyOn(world.views.guilds, 'members').mockRejectedValue(new StoreUnavailable('guild-views', 3));
    bot.write(8, { guild_id: '10', query: '', limit: 0, nonce: 'y' });
    expect((await bot.dispatch('RATE_LIMITED', (d) => d.meta.nonce === 'y')).d.retry_after).toBe(3);
    read.mockRestore();
  });

  it.each([
    ['no guild', {}],
    ['no id', { guild_id: 'x' }],
    ['no guild in its list', { guild_id: [] }],
  ])('with %s closes the socket', async (_, d) => {
    const client = await station.identified('2');
    client.write(8, d);
    expect(await client.closed()).toBe(4002);
  });

  it('of a client that does not read waits for it, and ends with its socket', async () => {
    const small = await world.station({ byteBudget: 65_536 });
    const read = vi.spyOn(world.views.guilds, 'members');
    const client = await small.identified('3');
    client.socket.pause();
    for (let n = 0; n < 12; n += 1) client.write(8, { guild_id: '20', query: '', limit: 0 });
    await expect.poll(() => read.mock.calls.length).toBeGreaterThan(3);
    await client.cut();
    await world.settled();
    expect(read.mock.calls.length).toBeLessThan(36);
    read.mockRestore();
  });
});
