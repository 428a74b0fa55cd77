/** Clients that ask for much and read little, on real connections. */

import { type AddressInfo, connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { either } from 'fp-ts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { route } from '../schemas/http/route.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { aServer, type Over } from './testing.ts';

/** More than the kernel's buffers hold, so that most of it waits in the server. */
const LARGE = 16_000_000;

describe('a connection', () => {
  let app: FastifyInstance;
  let clients: Socket[] = [];
  let begun: string[] = [];
  let finish: (() => void)[] = [];

  const large = route({
    ...{ method: 'GET', path: '/large', summary: 'Large', access: 'public', answers: 'much' },
    handle: async () => {
      begun.push('large');
      return either.right({ body: 'x'.repeat(LARGE) });
    },
  });
  /** Answers when the spec says so. */
  const waiting = route({
    ...{ method: 'GET', path: '/waiting', summary: 'Waiting', access: 'user', answers: 'the caller' },
    handle: async ({ actor }) => {
      begun.push(actor.userId);
      await new Promise<void>((resolve) => finish.push(resolve));
      return either.right({ body: actor.userId });
    },
  });

  const start = async (over: Over = {}) => {
    [begun, finish] = [[], []];
    app = aServer({ ...over, routes: [large, waiting] });
    await app.listen({ host: '127.0.0.1', port: 0 });
  };
  /** A client that reads nothing until it is told to. */
  const client = async (): Promise<Socket> => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    clients.push(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
    return socket;
  };
  const ask = (socket: Socket, path: string, authorization = 'Bot good'): void => {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`);
  };
  const connections = () => new Promise<number>((done) => app.server.getConnections((_, count) => done(count)));
  /** @returns everything that arrives until the connection ends, or until so many bytes have */
  const read = (socket: Socket, bytes = Number.POSITIVE_INFINITY): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      socket.on('data', (data) => {
        text += data;
        if (text.length >= bytes) resolve(text);
      });
      socket.once('close', () => resolve(text));
      socket.resume();
    });

  afterEach(async () => {
    for (const one of finish) one();
    for (const socket of clients) socket.destroy();
    clients = [];
    await app.close();
  });

  it('whose client asks for more at once than the bound is closed, and at the bound it is not', async () => {
    await start({ connections: { pipelined: 4 } });
    const modest = await client();
    for (let n = 0; n < 4; n += 1) ask(modest, '/health');
    expect((await read(modest, 600)).match(/"alive"/g)).toHaveLength(4);

    const greedy = await client();
    greedy.write('GET /v1/waiting HTTP/1.1\r\nHost: x\r\nAuthorization: Bot good\r\n\r\n'.repeat(5));
    expect(await read(greedy)).toBe('');
    expect(begun.length).toBeLessThanOrEqual(4);
    expect(await connections()).toBe(1);
  });

  it('that has left much unread for the longest makes room for the answers of others', async () => {
    await start({ connections: { untakenPerAddress: 2.5 * LARGE } });
    // One after another: a connection that asks for nothing is closed after a while.
    const asking = async (): Promise<Socket> => {
      const [socket, before] = [await client(), begun.length];
      ask(socket, '/v1/large');
      await expect.poll(() => begun).toHaveLength(before + 1);
      return socket;
    };
    const [first, second, third] = [await asking(), await asking(), await asking()];
    await expect.poll(connections).toBe(2);
    expect((await read(first)).length).toBeLessThan(LARGE);
    for (const socket of [second, third]) expect((await read(socket, LARGE)).length).toBeGreaterThan(LARGE);
    // What was read does not count any more.
    const again = [second, third].map((socket) => read(socket, LARGE));
    for (const socket of [second, third]) ask(socket, '/v1/large');
    for (const text of await Promise.all(again)) expect(text.length).toBeGreaterThanOrEqual(LARGE);
  });

  it('keeps one answer that is larger than the bounds', async () => {
    await start({ connections: { untaken: 1, untakenPerAddress: 1 } });
    const only = await client();
    ask(only, '/v1/large');
    expect((await read(only, LARGE)).length).toBeGreaterThan(LARGE);
  });

  it('whose client takes nothing for too long is closed, and one that waits for its answer is not', async () => {
    await start({ connections: { stallMs: 200 } });
    const [patient, stalled] = [await client(), await client()];
    ask(patient, '/v1/waiting');
    await expect.poll(() => begun).toHaveLength(1);
    ask(stalled, '/v1/large');
    await expect.poll(connections).toBe(1);
    finish[0]!();
    expect(await read(patient, 200)).toContain('"7"');
  });

  it('of one person of many has four queries under way, and leaves those of others alone', async () => {
    await start();
    for (let n = 0; n < 9; n += 1) ask(await client(), '/v1/waiting');
    await expect.poll(() => begun).toEqual(['7', '7', '7', '7']);
    ask(await client(), '/v1/waiting', 'Bot other');
    await expect.poll(() => begun).toEqual(['7', '7', '7', '7', '8']);
    finish.shift()!();
    await expect.poll(() => begun).toEqual(['7', '7', '7', '7', '8', '7']);
  });

  it('costs the metrics of one answer, however many ask at once', async () => {
    const metrics = createMetrics();
    const collected = vi.spyOn(metrics.registry, 'metrics');
    await start({ metrics });
    const many = await client();
    many.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
    const answers = async () => ((await read(many, 100_000)).match(/^HTTP\/1.1 200/gm) ?? []).length;
    expect(await answers()).toBeGreaterThan(1);
    expect(collected).toHaveBeenCalledTimes(1);
  });
});
