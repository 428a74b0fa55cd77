/** A server whose sockets are held by other processes is the same to its clients. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { discordSuite } from './suites/discord.ts';
import type { Api, Channel } from './support/api.ts';
import { joined, someName } from './support/api.ts';
import { GatewayClient, NOT_RESUMABLE } from './support/gateway-client.ts';
import { type EmbeddedInstance, startInstance } from './support/instance.ts';
import { LIMITS_OFF } from './support/server.ts';

const THREADS = { PARLEY_THREADS: '2' };
const CROWD = 1_000;
const MESSAGES = 20;
/** To the main process: for sockets, for batches, and its standard error. */
const OWN_SOCKETS = 3;
/** A close frame with 4002. */
const CLOSED = '\x88\x02\x0f\xa2';
const MEGABYTE = 1_048_576;
const INTENTS = (1 << 0) | (1 << 9) | (1 << 15);

discordSuite((env) => startInstance({ ...(env ?? LIMITS_OFF), ...THREADS }));

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

const socketsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;

describe('sockets that are held by other processes', () => {
  let instance: EmbeddedInstance;
  let owner: Api;
  let channel: Channel;
  let token: string;
  let base: string;
  let sender: GatewayClient | undefined;

  beforeAll(async () => {
    instance = await startInstance({ ...LIMITS_OFF, ...THREADS, PARLEY_SOCKET_BUDGET_BYTES: String(MEGABYTE) });
    base = instance.server().url;
    owner = instance.api.as(await instance.api.register(someName('owner')));
    const guild = await owner.createGuild('Elsewhere');
    channel = guild.channel;
    const [member] = await joined(owner, guild, 'member', 1);
    token = member!.token;
    // Until they are up, the main process holds what comes.
    await vi.waitFor(async () => {
      const pair = await Promise.all([GatewayClient.connect(base), GatewayClient.connect(base)]);
      const held = childrenOf(instance.server().pid).map(socketsOf);
      await cut(pair);
      expect(held).toEqual([OWN_SOCKETS + 1, OWN_SOCKETS + 1]);
    }, 10_000);
  }, 60_000);
  afterAll(async () => {
    await sender?.cut();
    await instance?.close();
  });

  const say = async (contents: readonly string[]): Promise<void> => {
    // It may have been held by a process that was killed.
    if (sender === undefined || sender.closeCode !== undefined)
      sender = await GatewayClient.identified(base, owner.account!.token, 0);
    const from = sender;
    const results = await Promise.all(
      contents.map((content) => from.command({ type: 'message.send', channel_id: channel.id, content })),
    );
    expect(results.every(({ ok }) => ok)).toBe(true);
  };
  const listeners = (count: number) =>
    Promise.all(Array.from({ length: count }, () => GatewayClient.identified(base, token, INTENTS)));
  const heard = (...clients: readonly GatewayClient[]) =>
    clients.flatMap((client) => client.dispatches('MESSAGE_CREATE').map(({ d }) => d.content as string));
  const cut = (clients: readonly GatewayClient[]) => Promise.all(clients.map((client) => client.cut()));

  it('are counted in the metrics by process, with what each takes of the machine', async () => {
    const pair = await Promise.all([GatewayClient.connect(base), GatewayClient.connect(base)]);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    for (const process of ['1', '2'])
      for (const name of ['cpu_seconds_total', 'resident_bytes'])
        expect(
          Number(new RegExp(`^parley_socket_process_${name}\\{process="${process}"\\} (.+)$`, 'm').exec(metrics)?.[1]),
        ).toBeGreaterThan(0);
    expect(metrics).toContain('parley_socket_process_sockets{process="1"}');
    await cut(pair);
  });

  it('hear every message once, in order, as many as there are', async () => {
    const clients: GatewayClient[] = [];
    while (clients.length < CROWD) clients.push(...(await listeners(200)));
    const held = childrenOf(instance.server().pid).map(socketsOf);
    expect(Math.min(...held)).toBeGreaterThan(CROWD / 2 - 100);
    expect(socketsOf(instance.server().pid)).toBeLessThan(100);
    const contents = Array.from({ length: MESSAGES }, (_, n) => `to the crowd ${n}`);
    await say(contents);
    const wrong: string[][] = [];
    for (const client of clients) {
      await client.until(() => heard(client).length >= MESSAGES, 'all messages');
      if (heard(client).join() !== contents.join()) wrong.push(heard(client));
    }
    expect(wrong).toEqual([]);
    await cut(clients);
  });

  it('end with their process, and resume in another without a gap', async () => {
    // The server has heard that the crowd is gone; the sender may be left.
    const held = () =>
      childrenOf(instance.server().pid).reduce((sum, child) => sum + socketsOf(child) - OWN_SOCKETS, 0);
    await expect.poll(held).toBeLessThanOrEqual(1);
    const clients = await listeners(20);
    await owner.send(channel.id, 'before');
    for (const client of clients) await client.until(() => heard(client).length === 1, 'a message');
    const [victim, other] = childrenOf(instance.server().pid);
    process.kill(victim!, 'SIGKILL');
    await expect.poll(() => clients.some(({ closeCode }) => closeCode !== undefined)).toBe(true);
    await owner.send(channel.id, 'meanwhile');
    let resumed = 0;
    for (const client of clients) {
      await expect.poll(() => client.closeCode !== undefined || heard(client).length === 2).toBe(true);
      if (client.closeCode === undefined) {
        await client.cut();
        continue;
      }
      expect(NOT_RESUMABLE.has(client.closeCode)).toBe(false);
      const again = await GatewayClient.resumed(base, token, client.session());
      expect(heard(client, again)).toEqual(['before', 'meanwhile']);
      await again.cut();
      resumed += 1;
    }
    expect(resumed).toBeGreaterThan(0);
    expect(resumed).toBeLessThan(clients.length);
    await expect.poll(() => childrenOf(instance.server().pid).length).toBe(2);
    expect(childrenOf(instance.server().pid)).toContain(other);
  });

  it('are closed when they do not read, resumably, and the others hear everything', async () => {
    const [stuck, reader] = (await listeners(2)) as [GatewayClient, GatewayClient];
    stuck.socket.pause();
    const closes = async () =>
      /parley_socket_closes_total\{code="4000"\} (\d+)/.exec(await (await fetch(`${base}/metrics`)).text())?.[1];
    let sent = 0;
    while ((await closes()) === undefined && sent < 20_000) {
      await say(Array.from({ length: 200 }, (_, n) => `${sent + n} ${'x'.repeat(1_900)}`));
      sent += 200;
    }
    expect(await closes()).toBe('1');
    stuck.socket.resume();
    expect(NOT_RESUMABLE.has(await stuck.closed())).toBe(false);
    await reader.until(() => heard(reader).length === sent, 'all messages');
    const again = await GatewayClient.resumed(base, token, stuck.session());
    expect(heard(stuck, again)).toEqual(heard(reader));
    await cut([again, reader]);
  });

  it('are closed for what is no frame, and what is no request is answered as ever', async () => {
    const handshake = [
      'GET /gateway HTTP/1.1',
      'Host: there',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    const answerTo = (...pieces: readonly string[]): Promise<string> =>
      new Promise((resolve) => {
        let answer = '';
        const socket = connect(instance.server().port, '127.0.0.1');
        socket.on('data', (data) => {
          answer += data.toString('latin1');
          if (answer.endsWith(CLOSED)) socket.end();
        });
        socket.on('error', () => {});
        socket.on('close', () => resolve(answer));
        for (const piece of pieces) socket.write(piece, 'latin1');
      });
    const [unmasked, garbage, noRequest, noHost, noKey] = await Promise.all([
      answerTo(`${handshake.join('\r\n')}\r\n\r\n`, '\x81\x02{}'),
      answerTo(`${handshake.join('\r\n')}\r\n\r\n${'\xff'.repeat(100)}`),
      answerTo('\x16\x03\x01\x02\x00\x01\r\n\r\n'),
      answerTo(`${handshake.filter((line) => !line.startsWith('Host')).join('\r\n')}\r\n\r\n`),
      answerTo(`${handshake.slice(0, -1).join('\r\n')}\r\n\r\n`),
    ]);
    for (const answer of [unmasked, garbage]) {
      expect(answer).toMatch(/^HTTP\/1.1 101 /);
      expect(answer.endsWith(CLOSED)).toBe(true);
    }

    expect(noRequest).toMatch(/^HTTP\/1.1 400 /);
    expect(noHost).toMatch(/^HTTP\/1.1 400 /);
    expect(noKey).toMatch(/^HTTP\/1.1 426 /);
    expect(await (await fetch(`${base}/health`)).json()).toEqual({ status: 'alive' });
  });

  it('are sent away when the server stops, which leaves no process behind', async () => {
    const [client] = (await listeners(1)) as [GatewayClient];
    const children = childrenOf(instance.server().pid);
    expect(await instance.server().stop()).toBe(0);
    expect(await client.closed()).toBe(1012);
    expect(client.frames.at(-1)!.op).toBe(7);
    for (const child of children) expect(() => process.kill(child, 0)).toThrow('ESRCH');
  });
});
