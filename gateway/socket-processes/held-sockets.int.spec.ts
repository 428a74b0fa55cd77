import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { BatchWriter } from './batch.ts';
import { To } from './entries.ts';
import { HeldSockets } from './held-sockets.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HEADERS = { upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': KEY };
/** More than the kernel takes. */
const MUCH = 16 * 1_048_576;
const BATCHES = 200;

/** Node's name for what waits in a stream. */
interface Inside {
  readonly _writableState: { getBuffer(): readonly { readonly chunk: Buffer }[] };
}

it('a socket that takes nothing keeps its own frames in memory, and not what came with them for others', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  const [socket] = (await once(server, 'connection')) as [Socket];
  const main = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const held = new HeldSockets(main, systemClock);
  held.take({ id: 1, headers: HEADERS, head: '' }, socket);
  const writer = new BatchWriter();
  const batchOf = (...frames: readonly Buffer[]): void => {
    for (const [place, bytes] of frames.entries()) {
      writer.entry(To.frames, place);
      writer.blob(bytes);
    }
    writer.entry(To.write, 1);
    writer.number(0);
    writer.send({ writableLength: 0, write: (batch: Buffer) => main.push(Buffer.from(batch)) } as unknown as Duplex);
  };
  batchOf(Buffer.alloc(MUCH));
  await expect.poll(() => socket.writableLength).toBeGreaterThan(0);
  for (let n = 0; n < BATCHES; n += 1) batchOf(Buffer.alloc(100, n), Buffer.alloc(60_000));
  await expect.poll(() => socket.writableLength % MUCH).toBe(BATCHES * 100);
  const kept = new Set((socket as unknown as Inside)._writableState.getBuffer().map(({ chunk }) => chunk.buffer));
  expect([...kept].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(500_000);
  client.destroy();
  await expect.poll(() => socket.destroyed).toBe(true);
  server.close();
});
