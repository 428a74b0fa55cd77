/** What a socket can make the server hold or do before, and after, anybody knows whose it is. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FRAME_BYTES } from '../schemas/gateway/frames.ts';
import { guildAndPeople, tokenOf, World } from './testing.ts';

let world: World;
let channel: string;
beforeEach(async () => {
  world = await World.open();
  channel = guildAndPeople(world.story, '10', '1', '2');
});
afterEach(() => world.close());

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('an unfinished frame', () => {
  it.each([
    ['of one byte', 'x'],
    ['of nothing', ''],
  ])('in fragments %s ends with 4002 after so many', async (_, fragment) => {
    const station = await world.station();
    const client = await station.connect();
    for (let i = 0; i < 64; i += 1) client.socket.send(fragment, { fin: false });
    client.socket.ping();
    await new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.send(fragment, { fin: false });
    expect(await client.closed()).toBe(4002);
  });

  it('is taken when its fragments are few', async () => {
    const station = await world.station();
    const client = await station.connect();
    client.socket.send('{"op":1,', { fin: false });
    client.socket.send('"d":null}', { fin: true });
    await client.until(() => client.acks === 1, 'an ACK');
  });

  it('is bounded to what an identify needs, until the client has identified', async () => {
    const station = await world.station();
    const fresh = await station.connect();
    fresh.socket.send('x'.repeat(4_097), { fin: false });
    expect(await fresh.closed()).toBe(4002);
    const client = await station.identified('1');
    const { ok } = await client.command({
      type: 'message.send',
      channel_id: channel,
      embeds: [{ a: 'x'.repeat(8_000) }],
    });
    expect(ok).toBe(true);
    client.socket.send('x'.repeat(FRAME_BYTES + 1), { fin: false });
    expect(await client.closed()).toBe(4002);
  });
});

describe('sockets that have not identified', () => {
  it('are bounded from one address, and give their place back by identifying and by closing', async () => {
    const station = await world.station({ unidentified: { sockets: 10, perAddress: 2 } });
    const [one, other] = [await station.connect(), await station.connect()];
    const third = await station.connect().catch(() => undefined);
    expect(third?.closeCode ?? 4008).toBe(4008);
    one.write(2, { token: tokenOf('1'), intents: 0, properties: {} });
    await one.dispatch('READY');
    await station.connect();
    other.socket.close();
    await expect.poll(() => station.counters.sockets).toBe(2);
    await station.connect();
    expect(station.counters.closes).toEqual([4008]);
  });

  it('are bounded in all', async () => {
    const station = await world.station({ unidentified: { sockets: 1, perAddress: 2 } });
    await station.connect();
    await station.connect().catch(() => {});
    expect(station.counters.closes).toEqual([4008]);
  });
});

it.each([
  [3, { status: 'online', activities: [] }, 'activities'],
  [14, {}, 'guild_id'],
  [103, {}, 'message_ids'],
])('a payload of op %i that nests deeply closes its socket with 4002', async (op, d, field) => {
  const station = await world.station();
  const client = await station.identified('1');
  client.socket.send(JSON.stringify({ op, d: { ...d, [field]: 'HERE' } }).replace('"HERE"', nested(1_500)));
  expect(await client.closed()).toBe(4002);
});

it('an op 100 that nests deeply is answered with its refusal', async () => {
  const station = await world.station();
  const client = await station.identified('1');
  const frame = JSON.stringify({ op: 100, d: { id: 'a', type: 'message.send', channel_id: channel, embeds: 'HERE' } });
  client.socket.send(frame.replace('"HERE"', nested(4_000)));
  await client.until((frames) => frames.some(({ op, d }) => op === 101 && d.error.code === 50035), 'a refusal');
});

it('frames that are refused or ask for nothing hold up their socket, and nothing of it is lost', async () => {
  const station = await world.station({ refusedBudget: { count: 2, windowMs: 300 } });
  const client = await station.identified('1');
  // What one read brought is dealt with, and it brings no two of these.
  const long = { text: 'x'.repeat(60_000) };
  const begun = performance.now();
  for (let i = 0; i < 8; i += 1) client.write(i % 2 === 0 ? 102 : 103, long);
  client.write(100, { type: 'none' });
  client.write(1, null);
  await client.until((frames) => frames.some(({ op }) => op === 101) && client.acks === 1, 'both answers');
  expect(performance.now() - begun).toBeGreaterThan(250);
});
