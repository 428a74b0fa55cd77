/** How a session begins, and when it is refused. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Frame, GatewayClient } from '../test/support/gateway-client.ts';
import { EVERYTHING, guildWith, hiddenChannel, type Station, tokenOf, World } from './testing.ts';

/** Ids on shard 0 and shard 1 of two: the bit above the lowest 22 decides. */
const EVEN = String(2n << 22n);
const ODD = String(3n << 22n);

describe('identify', () => {
  let world: World;
  let station: Station;

  beforeAll(async () => {
    world = await World.open();
    const { story } = world;
    story.user('1');
    story.user('2');
    story.user('3', 'bot', '1');
    guildWith(story, EVEN, '1', '2', '3');
    guildWith(story, ODD, '1', '3');
    hiddenChannel(story, '77', EVEN);
    story.direct('88', '1', '2');
    story.post(`${EVEN}1`, '1');
    station = await world.station({ resumeGatewayUrl: (host) => `ws://${host}/gateway` });
  });
  afterAll(() => world.close());

  const closedAfter = async (frame: { op: number; d: unknown }): Promise<number> => {
    const client = await station.connect();
    client.write(frame.op, frame.d);
    return client.closed();
  };

  it('begins with a Hello that carries the interval', async () => {
    const client = await station.connect();
    expect(client.frames).toEqual([{ op: 10, d: { heartbeat_interval: 41_250 }, s: null, t: null }]);
    await client.cut();
  });

  it('is refused with op 9 beyond the sessions that a user may begin, on a socket that may try again', async () => {
    world.mayBegin = (userId) => userId !== '1';
    const client = await station.connect();
    client.write(2, { token: tokenOf('1'), intents: 0, properties: {} });
    await client.until((frames) => frames.some((frame) => frame.op === 9), 'op 9');
    expect(client.frames.at(-1)).toMatchObject({ op: 9, d: false });
    await (await station.identified('2')).cut();
    world.mayBegin = () => true;
    client.write(2, { token: tokenOf('1'), intents: 0, properties: {} });
    await client.dispatch('READY');
    await client.cut();
  });

  it('asks once for the heads of all guilds, however many there are', async () => {
    const { story } = world;
    story.user('30');
    for (let n = 0; n < 30; n += 1) guildWith(story, String(3000 + n), '30');
    const asked = vi.spyOn(world.views.unread, 'heads');
    const client = await station.identified('30');
    expect(client.dispatches('GUILD_CREATE')).toHaveLength(30);
    expect(asked.mock.calls.filter(([ids]) => ids.length > 0)).toHaveLength(1);
    asked.mockRestore();
    await client.cut();
  });

  it('answers READY with what libraries need', async () => {
    const client = await station.identified('1');
    const ready = client.frames.find((frame) => frame.t === 'READY') as Frame;
    expect(ready.s).toBe(0);
    expect(ready.d).toMatchObject({
      v: 10,
      user: { id: '1' },
      guilds: [
        { id: EVEN, unavailable: true },
        { id: ODD, unavailable: true },
      ],
      private_channels: [{ id: '88', type: 1, recipients: [{ id: '2' }] }],
      resume_gateway_url: `${station.base.replace('http', 'ws')}/gateway`,
      application: { id: '1', flags: 0 },
      shard: [0, 1],
      session_type: 'normal',
      epoch: world.story.log.epoch,
    });
    expect(ready.d.session_id).toMatch(/./);
    await client.cut();
  });

  it('sends one GUILD_CREATE for every guild in READY, all before the first position', async () => {
    const client = await station.identified('1');
    const dispatches = client.frames.filter((frame) => frame.op === 0);
    expect(dispatches.map((frame) => [frame.t, frame.s])).toEqual([
      ['READY', 0],
      ['GUILD_CREATE', 0],
      ['GUILD_CREATE', 0],
      ['PARLEY_POSITION', await world.story.log.head()],
    ]);
    expect(dispatches[1]!.d).toMatchObject({
      id: EVEN,
      large: false,
      member_count: 3,
      members: [{ user: { id: '1' } }, { user: { id: '2' } }, { user: { id: '3' } }],
      channels: [
        { id: `${EVEN}1`, last_message_id: expect.any(String) },
        { id: '77', last_message_id: null },
      ],
    });
    await client.cut();
  });

  it('hides channels from users who may not view them', async () => {
    const client = await station.identified('2');
    const guild = client.dispatches('GUILD_CREATE')[0]!;
    expect(guild.d.channels.map((channel: { id: string }) => channel.id)).toEqual([`${EVEN}1`]);
    await client.cut();
  });

  it('gives bots no direct channels in READY', async () => {
    const client = await station.identified('3');
    expect(client.dispatches('READY')[0]!.d.private_channels).toEqual([]);
    await client.cut();
  });

  it('never lets s fall for a bot when an event with two dispatches arrives before its guilds', async () => {
    const client = await GatewayClient.connect(station.base, ({ t }) => {
      // It answers the ping after READY only when it reads again.
      if (t === 'READY') client.socket.pause();
    });
    client.write(2, { token: tokenOf('3'), intents: EVERYTHING });
    await client.dispatch('READY');
    world.story.pin(`${EVEN}1`, 1, '1', 1);
    await world.settled();
    client.socket.resume();
    await client.dispatch('CHANNEL_PINS_UPDATE');
    const named = client.frames.filter((frame) => frame.op === 0).map(({ t, s }) => [t, s]);
    const head = await world.story.log.head();
    expect(named.slice(-3)).toEqual([
      ['PARLEY_POSITION', head - 1],
      ['MESSAGE_UPDATE', head - 1],
      ['CHANNEL_PINS_UPDATE', head],
    ]);
    await client.cut();
  });

  it('gives each shard its guilds', async () => {
    const zero = await station.identified('1', { shard: [0, 2] });
    const one = await station.identified('1', { shard: [1, 2] });
    const guildsOf = (client: GatewayClient) => client.dispatches('GUILD_CREATE').map((frame) => frame.d.id);
    expect([guildsOf(zero), guildsOf(one)]).toEqual([[EVEN], [ODD]]);
    expect(one.dispatches('READY')[0]!.d).toMatchObject({ shard: [1, 2], private_channels: [] });
    await zero.cut();
    await one.cut();
  });

  it('also accepts a token with its scheme', async () => {
    const client = await station.identified('3', { token: `Bot ${tokenOf('3')}` });
    await client.cut();
  });

  it.each([
    ['an unknown token', { token: 'nonsense', intents: 0 }, 4004],
    ['a token of somebody who is not there', { token: tokenOf('999'), intents: 0 }, 4004],
    ['no token', { intents: 0 }, 4002],
    ['a payload that is no object', 'hello', 4002],
    ['intents that do not exist', { token: tokenOf('1'), intents: 1 << 18 }, 4013],
    ['intents that are no bit set', { token: tokenOf('1'), intents: 1.5 }, 4013],
    ['a bot without intents', { token: tokenOf('3') }, 4013],
    ['a shard beyond the count', { token: tokenOf('1'), intents: 0, shard: [2, 2] }, 4010],
    ['a threshold out of bounds', { token: tokenOf('1'), intents: 0, large_threshold: 10 }, 4002],
  ])('refuses %s', async (_, d, code) => {
    expect(await closedAfter({ op: 2, d })).toBe(code);
  });

  it('allows people to omit their intents', async () => {
    const client = await station.connect();
    client.write(2, { token: tokenOf('2') });
    await client.dispatch('PARLEY_POSITION');
    await client.cut();
  });

  it('refuses every opcode before it except identify, resume and heartbeats', async () => {
    expect(await closedAfter({ op: 3, d: { status: 'online' } })).toBe(4003);
    expect(await closedAfter({ op: 100, d: { id: 'x', type: 'typing.start', channel_id: '1' } })).toBe(4003);
    expect(await closedAfter({ op: 8, d: {} })).toBe(4003);
  });

  it('refuses a second identify', async () => {
    const client = await station.identified('1');
    client.write(2, { token: tokenOf('1'), intents: 0 });
    expect(await client.closed()).toBe(4005);
  });

  it('refuses an unknown version and encoding', async () => {
    for (const query of ['v=8', 'v=11', 'encoding=etf']) {
      const socket = new WebSocket(`${station.base.replace('http', 'ws')}/gateway?${query}`);
      const code = await new Promise((resolve) => socket.on('close', resolve));
      expect(code, query).toBe(4012);
    }
  });

  it("sees its user's acknowledged writes", async () => {
    world.story.post(`${EVEN}1`, '1');
    const head = await world.story.log.head();
    const client = await station.identified('1');
    expect(client.seq).toBe(head);
    await client.cut();
  });

  it("lists only the user's own membership in a guild beyond the threshold", async () => {
    const large = String(8n << 22n);
    guildWith(world.story, large, '1', ...Array.from({ length: 59 }, (_, i) => String(1000 + i)));
    const small = await station.identified('1', { large_threshold: 60 });
    const big = await station.identified('1');
    const guildOf = (client: GatewayClient) => client.dispatches('GUILD_CREATE').find((frame) => frame.d.id === large)!;
    expect(guildOf(small).d).toMatchObject({ large: false, member_count: 60 });
    expect(guildOf(small).d.members).toHaveLength(60);
    expect(guildOf(big).d).toMatchObject({ large: true, member_count: 60, members: [{ user: { id: '1' } }] });
    await small.cut();
    await big.cut();
  });

  it('counts sessions as they come and go', async () => {
    const before = station.gateway.sessions;
    const client = await station.identified('1');
    expect(station.gateway.sessions).toBe(before + 1);
    await client.cut();
    await expect.poll(() => station.gateway.sessions).toBe(before);
    expect(station.counters.sessions).toBe(before);
  });
});
