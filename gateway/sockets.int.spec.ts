/** Sockets that beat, fall silent, stop reading, send too much, or are sent away. */

import { get, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FRAME_BYTES } from '../schemas/gateway/frames.ts';
import type { GatewayClient } from '../test/support/gateway-client.ts';
import { guildAndPeople, type Station, tokenOf, World } from './testing.ts';

describe('a socket', () => {
  let world: World;
  let channel: string;

  beforeEach(async () => {
    world = await World.open();
    channel = guildAndPeople(world.story, '10', '1', '2');
  });
  afterEach(() => world.close());

  /** The silent one is sent away, and the other stays. */
  const expectSwept = async (silent: GatewayClient, other: GatewayClient) => {
    expect(await silent.closed()).toBe(4009);
    await world.received(other);
  };

  it('has its heartbeats acknowledged, also before it identifies', async () => {
    const station = await world.station();
    const client = await station.connect();
    client.write(1, null);
    client.write(1, 5);
    await client.until(() => client.acks === 2, 'two ACKs');
  });

  it('is counted from its upgrade until it is gone, whether it identifies or not', async () => {
    const station = await world.station();
    const clients = [await station.connect(), await station.identified('1')];
    expect([station.counters.sockets, station.counters.sessions]).toEqual([2, 1]);
    for (const client of clients) await client.cut();
    await expect.poll(() => [station.counters.sockets, station.counters.sessions]).toEqual([0, 0]);
  });

  it('is counted as gone when the server ends it', async () => {
    const station = await world.station();
    const client = await station.connect();
    expect(station.counters.sockets).toBe(1);
    await station.gateway.close();
    await client.closed();
    expect(station.counters.sockets).toBe(0);
  });

  it('is closed with 4009 when its heartbeats stop, and only then', async () => {
    const station = await world.station({ heartbeatIntervalMs: 1_000_000 });
    const [dead, alive] = [await station.identified('1'), await station.identified('2')];
    await world.clock.advance(1_400_000);
    await world.received(alive);
    await world.clock.advance(200_000);
    await expectSwept(dead, alive);
  });

  it('stays open wherever the wall clock goes, and is swept all the same', async () => {
    const station = await world.station({ heartbeatIntervalMs: 100_000 });
    const [dead, alive] = [await station.identified('1'), await station.identified('2')];
    for (const jump of [120_000, -2 * 86_400_000]) {
      world.clock.jump(jump);
      await world.clock.advance(40_000);
      await world.received(alive, dead);
    }
    await world.clock.advance(140_000);
    await world.received(alive);
    await world.clock.advance(20_000);
    await expectSwept(dead, alive);
  });

  it('is not closed for the time that the server itself slept: what it sent meanwhile is read first', async () => {
    const station = await world.station({ identifyTimeoutMs: 60_000 });
    const [alive, dead, fresh] = [
      await station.identified('1'),
      await station.identified('2'),
      await station.connect(),
    ];
    await world.clock.freeze(600_000);
    await world.received(alive, dead);
    fresh.write(2, { token: tokenOf('1'), intents: 0, properties: {} });
    await fresh.dispatch('READY');
    // From its awakening on, the usual time counts.
    await world.clock.advance(60_000);
    await world.received(alive);
    await world.clock.advance(5_000);
    await expectSwept(dead, alive);
  });

  it('is closed when it does not identify in time, with or without heartbeats', async () => {
    const station = await world.station({ identifyTimeoutMs: 1_000 });
    const client = await station.connect();
    await world.clock.advance(900);
    client.write(1, null);
    await client.until(() => client.acks === 1, 'an ACK');
    await world.clock.advance(1_200);
    expect(await client.closed()).toBe(4009);
  });

  it('may send its budget of frames in a window, and is closed with 4008 beyond it', async () => {
    const station = await world.station({ opBudget: { count: 10, windowMs: 60_000 } });
    const client = await station.identified('1');
    for (let i = 0; i < 9; i += 1) client.write(1, null);
    await client.until(() => client.acks === 9, 'nine ACKs');
    await world.clock.advance(60_000);
    for (let i = 0; i < 10; i += 1) client.write(1, null);
    await client.until(() => client.acks === 19, 'ten more');
    client.write(1, null);
    expect(await client.closed()).toBe(4008);
  });

  it.each<[string, string | Buffer, number]>([
    ['binary and not JSON', Buffer.from([0x83, 0x01]), 4002],
    ['not JSON', '{', 4002],
    ['of no opcode', '{"d":1}', 4002],
    ['of an opcode that is not for clients', '{"op":0,"d":null}', 4001],
    ['with a payload that does not fit', '{"op":3,"d":{"status":"asleep"}}', 4002],
    ['over 4096 bytes', JSON.stringify({ op: 1, d: null, more: 'x'.repeat(4_096) }), 4002],
    ['too long for any command', JSON.stringify({ op: 100, d: { id: 'x'.repeat(FRAME_BYTES) } }), 4002],
  ])('that sends a frame %s is closed with its code', async (_, data, code) => {
    const client = await (await world.station()).identified('1');
    client.socket.send(data);
    expect(await client.closed()).toBe(code);
  });

  it.each([3, 4, 14, 37, 102, 103])('may send op %i', async (op) => {
    const client = await (await world.station()).identified('1');
    client.write(op, { status: 'online' });
    await world.received(client);
  });

  it('has its pings answered', async () => {
    const client = await (await world.station()).connect();
    const pong = new Promise((resolve) => client.socket.on('pong', (data) => resolve(String(data))));
    client.socket.ping('are you there');
    expect(await pong).toBe('are you there');
  });

  describe('that stops reading', () => {
    /** Fills the operating system's buffers and then the budget. */
    const flood = async (until: () => boolean) => {
      for (let i = 0; i < 2_000 && !until(); i += 1) {
        world.story.post(channel, '1', { nonce: 'x'.repeat(8_000) });
        if (i % 10 === 0) await world.settled();
      }
    };

    it('is closed resumably and then terminated, while the others receive everything', async () => {
      const station = await world.station({ byteBudget: 256 * 1024, closeGraceMs: 1_000 });
      const [stuck, reader] = [await station.identified('1'), await station.identified('2')];
      stuck.socket.pause();
      await flood(() => station.counters.closes.length > 0);
      expect(station.counters.closes).toEqual([4000]);
      expect(station.gateway.sessions).toBe(1);
      await world.clock.advance(2_000);
      stuck.socket.resume();
      expect([4000, 1006]).toContain(await stuck.closed());
      const again = await station.resumed('1', stuck.session());
      await world.received(reader);
      const ordinals = (...clients: GatewayClient[]) =>
        clients.flatMap((client) => client.dispatches('MESSAGE_CREATE').map((frame) => frame.d.ordinal));
      expect(ordinals(stuck, again)).toEqual(ordinals(reader));
    });

    it('takes no more memory than its budgets while a resume is sent to it', async () => {
      const station = await world.station({ byteBudget: 128 * 1024, heldBudget: 256 * 1024 });
      const before = await station.identified('1');
      const session = before.session();
      await before.cut();
      for (let i = 0; i < 1_500; i += 1) world.story.post(channel, '1', { nonce: 'x'.repeat(8_000) });
      await world.settled();
      const stuck = await station.connect();
      stuck.write(6, { token: tokenOf('1'), ...session });
      await stuck.dispatch('MESSAGE_CREATE');
      stuck.socket.pause();
      await flood(() => station.counters.closes.length > 0);
      expect(station.counters.closes).toEqual([4000]);
      stuck.socket.resume();
      await stuck.closed();
      expect(station.counters.resumes).toEqual(['aborted']);
    });
  });

  describe('when the process stops', () => {
    let station: Station;
    beforeEach(async () => {
      station = await world.station();
    });

    it('gets what is waiting, then op 7, then 1012', async () => {
      const clients = await Promise.all([station.identified('1'), station.identified('2')]);
      world.story.post(channel, '1');
      await world.settled();
      await station.gateway.drain(100);
      for (const client of clients) {
        expect(await client.closed()).toBe(1012);
        expect(client.frames.slice(-2).map((frame) => frame.t ?? frame.op)).toEqual(['MESSAGE_CREATE', 7]);
      }
      expect(station.gateway.sessions).toBe(0);
    });

    it('gets the outcome of its command first', async () => {
      const client = await station.identified('1');
      let answer = (): void => {};
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      const { answer: succeed } = world.bus;
      world.bus.answer = async (...asked) => {
        await answered;
        return succeed(...asked);
      };
      const result = client.command({ type: 'typing.start', channel_id: channel });
      await expect.poll(() => world.bus.submitted.length).toBe(1);
      const drained = station.gateway.drain(0);
      answer();
      expect((await result).ok).toBe(true);
      expect(await client.closed()).toBe(1012);
      await drained;
    });

    it('is sent away when it connects too late', async () => {
      const waiting = await station.connect();
      const drained = station.gateway.drain(50);
      const late = new WebSocket(`${station.base.replace('http', 'ws')}/gateway`);
      const code = await new Promise((resolve) => late.on('close', resolve));
      expect(code).toBe(1012);
      expect(await waiting.closed()).toBe(1012);
      await drained;
    });

    it('is terminated after a grace period if it does not answer', async () => {
      const impatient = await world.station({ closeGraceMs: 50 });
      const stuck = await impatient.identified('1');
      stuck.socket.pause();
      await impatient.gateway.drain(0);
      stuck.socket.resume();
      await stuck.closed();
    });
  });
});

describe('the path of the gateway', () => {
  let world: World;
  let base: string;
  beforeEach(async () => {
    world = await World.open();
    ({ base } = await world.station());
  });
  afterEach(() => world.close());

  const UPGRADE = { connection: 'Upgrade', upgrade: 'websocket' };

  it.each<[string, Record<string, string>]>([
    ['without an upgrade', {}],
    ['with an upgrade to something else', { connection: 'Upgrade', upgrade: 'h2c' }],
    ['without a key', { ...UPGRADE, 'sec-websocket-version': '13' }],
    [
      'with a version that nobody speaks',
      { ...UPGRADE, 'sec-websocket-version': '1', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
    ],
  ])('asked %s says what it takes', async (_, headers) => {
    for (const path of ['/gateway', '/gateway/']) {
      const response = await new Promise<IncomingMessage>((resolve, reject) =>
        get(base + path, { headers }, resolve).on('error', reject),
      );
      expect([response.statusCode, response.headers.upgrade]).toEqual([426, 'websocket']);
      expect(await json(response)).toEqual({ message: expect.stringContaining('WebSocket'), code: 0 });
    }
  });
});
