/** What fourteen unchanged libraries send to the gateway, and that each gets what it waits for. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayClient } from '../test/support/gateway-client.ts';
import { inflating, readingRawBlocks } from './decompressing.testing.ts';
import { guildWith, type Station, tokenOf, World } from './testing.ts';

/** As ids are today, beyond what a JSON number holds. */
const GUILD = '144606006000000001';
const BOT = '1446060060000000003';
const PERSON = '1446060060000000005';

/** Guilds, members, messages, reactions and content. */
const intents = 1 | 2 | (1 << 9) | (1 << 10) | (1 << 15);
const token = tokenOf(BOT);

interface Said {
  readonly library: string;
  /** What it connects to. */
  readonly path: string;
  /** How it sends its frames; text unless it says so. */
  readonly binary?: true;
  /** `d` of op 2, 3 and 8 as it writes them. */
  readonly identify: string;
  readonly presence: string;
  readonly members: string;
}

const json = JSON.stringify;
const everybody = json({ guild_id: GUILD, query: '', limit: 0 });
const identify = (more: object = {}) =>
  json({ token, intents, properties: { os: 'linux', browser: 'x', device: 'x' }, ...more });
const online = json({ status: 'online', since: null, activities: [], afk: false });

const LIBRARIES: readonly Said[] = [
  {
    library: 'discord.js',
    path: '/gateway?v=10&encoding=json',
    identify: identify({ large_threshold: 50, shard: [0, 1], compress: false }),
    presence: json({ activities: [], afk: false, since: null, status: 'online' }),
    members: json({ guild_id: GUILD, presences: false, query: '', nonce: 'n', limit: 0 }),
  },
  {
    library: '@discordjs/core',
    path: '/gateway?v=10&encoding=json&compress=zlib-stream',
    identify: identify({ large_threshold: null, shard: [0, 1] }),
    presence: json({ since: null, activities: [{ name: 'chess', type: 0 }], status: 'idle', afk: false }),
    members: json({ guild_id: GUILD, query: '', limit: 0, nonce: 'n' }),
  },
  {
    library: 'oceanic',
    path: '/?v=10&encoding=json',
    identify: identify({
      v: 10,
      compress: true,
      large_threshold: 250,
      presence: { status: 'online', activities: null },
    }),
    presence: json({ afk: false, activities: null, since: null, status: 'online' }),
    members: json({ guild_id: GUILD, limit: 0, user_ids: undefined, query: '', nonce: 'n', presences: false }),
  },
  {
    library: 'eris',
    path: '/gateway?v=9&encoding=json',
    identify: identify({ v: 9, compress: false, large_threshold: 250, presence: { status: 'online', game: null } }),
    presence: json({ afk: false, game: { name: 'chess' }, since: { at: 0 }, status: 'online' }),
    members: json({ guild_id: [GUILD], query: '', limit: 0, nonce: 'n', presences: false }),
  },
  {
    library: 'discord.py',
    path: '/gateway?encoding=json&v=10&compress=zlib-stream',
    identify: identify({
      compress: true,
      large_threshold: 250,
      presence: { status: 'online', game: null, since: 0, afk: false },
    }),
    presence: json({ activities: [null], afk: false, since: 0, status: 'online' }),
    members: `{"guild_id":${GUILD},"presences":false,"query":"","limit":0,"nonce":"n"}`,
  },
  {
    library: 'hikari',
    path: '/gateway?v=10&encoding=json&compress=zlib-stream',
    identify: identify({
      compress: false,
      large_threshold: 250,
      shard: [0, 1],
      presence: { since: null, afk: false, status: 'online', activities: [] },
    }),
    presence: json({ since: null, afk: false, activities: [null], status: 'dnd' }),
    members: json({ guild_id: GUILD, query: '', limit: 0, presences: false, nonce: 'n' }),
  },
  {
    library: 'JDA',
    path: '/?encoding=json&v=10&compress=zlib-stream',
    identify: identify({ v: 10, large_threshold: 250, presence: { afk: false, status: 'online' }, shard: [0, 1] }),
    presence: json({ afk: false, status: 'online', activities: [null], since: 1_700_000_000_000 }),
    members: `{"guild_id":${GUILD},"query":"","limit":0,"nonce":"n"}`,
  },
  {
    library: 'discordgo',
    path: '/gateway/?v=9&encoding=json',
    identify: identify({
      token: `Bot ${token}`,
      compress: true,
      large_threshold: 250,
      shard: [0, 1],
      presence: { since: 0, game: { name: '' } },
    }),
    presence: json({ since: 0, activities: null, game: null, afk: false, status: 'online' }),
    members: json({ guild_ids: undefined, guild_id: GUILD, query: '', limit: 0, nonce: '', presences: false }),
  },
  {
    library: 'serenity',
    path: '/?v=10',
    identify: identify({
      compress: false,
      large_threshold: 250,
      shard: [0, 1],
      presence: { afk: false, status: 'online', since: 5, activities: [] },
    }),
    presence: json({
      afk: false,
      status: 'online',
      since: { secs_since_epoch: 1, nanos_since_epoch: 0 },
      activities: [null],
    }),
    members: json({ guild_id: GUILD, query: '', limit: 0, presences: false, nonce: '' }),
  },
  {
    library: 'twilight',
    path: '/?v=10&encoding=json&compress=zstd-stream',
    identify: identify({ compress: false, large_threshold: 50, shard: [0, 1] }),
    presence: online,
    members: json({ guild_id: GUILD, query: '', limit: 0, nonce: 'n', presences: false }),
  },
  {
    library: 'Discord.Net',
    path: '/?v=10&encoding=json&compress=zlib-stream',
    identify: identify({
      large_threshold: 250,
      shard: [0, 1],
      presence: { status: 'online', since: null, afk: false, activities: [null] },
    }),
    presence: json({ status: 'online', since: null, afk: false, activities: [null] }),
    members: `{"guild_id":[${GUILD}],"query":"","limit":0}`,
  },
  {
    library: 'DSharpPlus',
    path: '/?v=10&encoding=json&compress=zlib-stream',
    binary: true,
    identify: identify({ compress: false, large_threshold: 250, shard: [0, 1], presence: null }),
    presence: json({ since: null, status: 'online', afk: false, activities: [null], game: null }),
    members: `{"guild_id":${GUILD},"query":"","limit":0,"presences":null,"user_ids":null,"nonce":"n"}`,
  },
  {
    library: 'NetCord',
    path: '/?v=10&encoding=json&compress=',
    binary: true,
    identify: identify({ large_threshold: null, shard: null, presence: null }),
    presence: online,
    members: everybody,
  },
  {
    library: 'Remora',
    path: '/?v=10&encoding=json&compress=uncompressed',
    identify: identify({
      compress: false,
      large_threshold: 50,
      shard: [0, 1],
      presence: { since: null, activities: [], status: 'online', afk: false },
    }),
    presence: online,
    members: json({ guild_id: [GUILD], query: '', limit: 0 }),
  },
];

describe('a library', () => {
  let world: World;
  let station: Station;
  let channel: string;

  beforeAll(async () => {
    world = await World.open();
    world.story.user(PERSON);
    world.story.user(BOT, 'bot', PERSON);
    channel = guildWith(world.story, GUILD, PERSON, BOT);
    // Nothing remembers: this Node may lack zstd, and the reader here knows only stored blocks of it.
    station = await world.station({ compressed: 0 });
  });
  afterAll(() => world.close());

  const connect = (path: string): Promise<GatewayClient> => {
    const read = path.includes('zlib') ? inflating() : path.includes('zstd') ? readingRawBlocks() : String;
    return GatewayClient.connect(station.base, undefined, path, read);
  };

  it.each(LIBRARIES)('connects, sets its presence, gets members and messages, and resumes: $library', async (said) => {
    const { path, binary, identify, presence, members } = said;
    const client = await connect(path);
    const say = (op: number, d: string, to = client) =>
      to.socket.send(binary ? Buffer.from(`{"op":${op},"d":${d}}`) : `{"op":${op},"d":${d}}`);
    say(1, 'null');
    say(2, identify);
    const ready = await client.dispatch('READY');
    expect(ready.d).toMatchObject({ v: 10, user: { id: BOT }, guilds: [{ id: GUILD }], application: { id: BOT } });
    await client.dispatch('GUILD_CREATE', (d) => d.id === GUILD);
    say(3, presence);
    say(8, members);
    const chunk = await client.dispatch('GUILD_MEMBERS_CHUNK');
    expect(chunk.d.members.map((member: { user: { id: string } }) => member.user.id)).toEqual([BOT, PERSON]);
    world.story.post(channel, PERSON);
    const first = await client.dispatch('MESSAGE_CREATE');
    say(1, String(first.s));
    await client.until(() => client.acks === 2, 'both ACKs');
    await client.cut();
    expect(client.closeCode).toBe(1006);
    const { position } = world.story.post(channel, PERSON);
    const again = await connect(path);
    say(6, json({ token, session_id: client.sessionId, seq: first.s }), again);
    await again.dispatch('RESUMED');
    expect(again.dispatches('MESSAGE_CREATE').map(({ s }) => s)).toEqual([position]);
    await again.cut();
  });

  it('that asks for compression gets every message in a binary frame, and its close frame in clear', async () => {
    const socket = new WebSocket(`${station.base.replace('http', 'ws')}/?v=10&encoding=json&compress=zlib-stream`);
    const read = inflating();
    const received: unknown[] = [];
    socket.on('message', (data: Buffer, isBinary: boolean) => received.push([isBinary, JSON.parse(read(data)).op]));
    const closed = new Promise((resolve) => socket.once('close', (code) => resolve(code)));
    await new Promise((resolve) => socket.once('message', resolve));
    socket.send('{"op":1,"d":null}');
    socket.send('{"op":77}');
    expect(await closed).toBe(4001);
    expect(received).toEqual([
      [true, 10],
      [true, 11],
    ]);
  });

  it('that is compressed by what it was sent before reads everything', async () => {
    const remembering = await world.station();
    const client = await GatewayClient.connect(remembering.base, undefined, '/?compress=zlib-stream', inflating());
    client.write(2, { token, intents });
    await client.dispatch('PARLEY_POSITION');
    for (let n = 0; n < 50; n += 1) world.story.post(channel, PERSON);
    await client.until(() => client.dispatches('MESSAGE_CREATE').length === 50, 'all messages');
    await client.cut();
  });
});
