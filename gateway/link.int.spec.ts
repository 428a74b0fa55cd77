/** A link is the same to a session whether this process holds its socket or another does. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FRAME_BYTES, LIBRARY_FRAME_BYTES } from '../schemas/gateway/frames.ts';
import { COMPRESSIONS } from './compression.ts';
import { inflating } from './decompressing.testing.ts';
import { textFrame } from './frame-bytes.ts';
import type { Handshake } from './gateway.ts';
import type { Link } from './link.ts';
import { registerGateway } from './plugin.ts';
import type { SocketProcesses } from './socket-processes/pool.ts';
import { startSocketProcesses } from './socket-processes/testing.ts';

/** Both ends of a connection. */
interface Ends {
  readonly client: WebSocket;
  /** What the client has been sent, and how it was closed: code and reason. */
  readonly sent: string[];
  readonly closed: () => Promise<readonly [number, string]>;
  readonly link: Link;
  readonly handshake: Handshake;
  /** What the link has received. */
  readonly received: string[];
  readonly isGone: () => boolean;
}

const MEGABYTE = textFrame('x'.repeat(1_048_576));

describe.each([
  ['this process', 0],
  ['socket processes', 2],
])('a link to a socket that is held by %s', (_, count) => {
  let processes: SocketProcesses | undefined;
  let app: FastifyInstance;
  let url: string;
  let accepted: (ends: Pick<Ends, 'link' | 'handshake' | 'received' | 'isGone'>) => void;

  beforeAll(async () => {
    if (count > 0) processes = await startSocketProcesses(count);
    app = fastify();
    const accept = (link: Link, handshake: Handshake): void => {
      const received: string[] = [];
      let gone = false;
      link.attach({
        received: (data) => received.push(data.toString()),
        gone: () => {
          gone = true;
        },
      });
      accepted({ link, handshake, received, isGone: () => gone });
    };
    await registerGateway(app, { accept, hasRoom: () => true }, processes);
    await app.listen({ host: '127.0.0.1', port: 0 });
    url = `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/gateway`;
  });
  afterAll(async () => {
    await app.close();
    await processes?.close();
  });

  const connected = async (query = ''): Promise<Ends> => {
    const here = new Promise<Pick<Ends, 'link' | 'handshake' | 'received' | 'isGone'>>((resolve) => {
      accepted = resolve;
    });
    const client = new WebSocket(url + query);
    const sent: string[] = [];
    client.on('message', (data) => sent.push(String(data)));
    const closed = once(client, 'close').then(([code, reason]) => [code, String(reason)] as const);
    await once(client, 'open');
    return { ...(await here), client, sent, closed: () => closed };
  };

  it('is to whoever has connected', async () => {
    const { handshake, client } = await connected('?v=8&compress=zlib-stream');
    expect(handshake).toMatchObject({ peer: '127.0.0.1', compress: 'zlib-stream', refuse: { code: 4012 } });
    expect(`ws://${handshake.host}/gateway`).toBe(url);
    client.terminate();
  });

  it('carries frames both ways, in order', async () => {
    const { link, client, sent, received } = await connected();
    const texts = Array.from({ length: 500 }, (_, n) => `${n} é`);
    for (const text of texts) {
      link.outlet.write(textFrame(text));
      client.send(n(text) % 2 === 0 ? text : Buffer.from(text));
    }
    await expect.poll(() => [sent.length, received.length]).toEqual([500, 500]);
    expect([sent, received]).toEqual([texts, texts]);
    client.terminate();
  });

  it('lets in long frames once it is told to', async () => {
    const { link, client, received, closed } = await connected();
    link.takeLongFrames();
    link.outlet.write(textFrame('go'));
    await once(client, 'message');
    const long = 'x'.repeat(FRAME_BYTES);
    client.send(long);
    await expect.poll(() => received.length).toBe(1);
    expect(received[0] === long).toBe(true);
    client.close();
    await closed();
    const other = await connected();
    other.client.send('x'.repeat(LIBRARY_FRAME_BYTES + 1));
    expect(await other.closed()).toEqual([4002, '']);
    await expect.poll(other.isGone).toBe(true);
  });

  it('knows when its peer has read, or is gone', async () => {
    const { link, client } = await connected();
    await new Promise<void>((resolve) => link.onceRead(resolve));
    client.pause();
    let read = false;
    link.onceRead(() => {
      read = true;
    });
    const forgotten = link.onceRead(() => expect.unreachable());
    forgotten();
    client.terminate();
    await expect.poll(() => read).toBe(true);
  });

  it('is not read while it is paused, and then loses nothing', async () => {
    const { link, client, received } = await connected();
    link.pause();
    for (let i = 0; i < 100; i += 1) client.send(String(i));
    link.outlet.write(textFrame('any'));
    await once(client, 'message');
    expect(received).toEqual([]);
    link.resume();
    await expect.poll(() => received.length).toBe(100);
    expect(received).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
    client.terminate();
  });

  it('says what waits for a peer that does not read, and when that has gone', async () => {
    const { link, client, sent } = await connected();
    const { outlet } = link;
    client.pause();
    for (let i = 0; i < 32; i += 1) outlet.write(MEGABYTE);
    expect(outlet.writableLength).toBeGreaterThan(8 * MEGABYTE.length);
    // What the kernel has taken is no longer counted.
    await expect.poll(() => outlet.writableLength % MEGABYTE.length).toBe(0);
    const before = outlet.writableLength;
    expect(before).toBeGreaterThan(8 * MEGABYTE.length);
    let drained = false;
    outlet.on('drain', () => {
      drained = true;
    });
    client.resume();
    await expect.poll(() => drained).toBe(true);
    expect(outlet.writableLength).toBe(0);
    await expect.poll(() => sent.length).toBe(32);
    client.terminate();
  });

  it('closes with code and reason, after what was written', async () => {
    const { link, closed, sent, isGone } = await connected();
    link.outlet.write(textFrame('last'));
    link.close(4009, 'Session timed out');
    expect(await closed()).toEqual([4009, 'Session timed out']);
    expect(sent).toEqual(['last']);
    await expect.poll(isGone).toBe(true);
    expect(link.outlet.writable).toBe(false);
    link.outlet.write(textFrame('nobody reads this'));
  });

  it.each<['terminate' | 'destroySoon', readonly [number, string]]>([
    ['terminate', [1006, '']],
    ['destroySoon', [4008, 'Enough']],
  ])('ends by %s', async (how, end) => {
    const { link, closed, isGone } = await connected();
    if (how === 'destroySoon') link.close(4008, 'Enough');
    link[how]();
    expect(await closed()).toEqual(end);
    await expect.poll(isGone).toBe(true);
  });

  it('is gone once, when its peer is', async () => {
    const { client, isGone, link } = await connected();
    let closes = 0;
    link.outlet.on('close', () => {
      closes += 1;
    });
    client.terminate();
    await expect.poll(isGone).toBe(true);
    expect(closes).toBe(1);
  });

  it.each(COMPRESSIONS)('compresses as %s, from what is written next', async (kind) => {
    const { link, client } = await connected();
    const messages: Buffer[] = [];
    client.on('message', (data: Buffer) => messages.push(data));
    link.compress(kind, kind === 'zlib-stream');
    for (const text of ['one', 'two']) link.outlet.write(textFrame(text));
    await expect.poll(() => messages.length).toBe(2);
    if (kind === 'zlib-stream') expect(messages.map(inflating())).toEqual(['one', 'two']);
    else expect(messages[0]!.readUInt32LE(0)).toBe(0xfd2fb528);
    client.terminate();
  });
});

it('a socket that there is no room for is not handed over', async () => {
  const app = fastify();
  let accepted = 0;
  const accept = (link: Link): void => {
    accepted += 1;
    link.attach({ received: () => {}, gone: () => {} });
    link.terminate();
  };
  const processes = { take: () => expect.unreachable(), up: 1, close: async () => {} };
  await registerGateway(app, { accept, hasRoom: () => false }, processes);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const client = new WebSocket(`ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/gateway`);
  client.on('error', () => {});
  await once(client, 'close');
  expect(accepted).toBe(1);
  await app.close();
});

/** The number that a text begins with. */
const n = (text: string): number => Number.parseInt(text, 10);
