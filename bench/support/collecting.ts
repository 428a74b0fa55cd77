/** The memory of a server without what it no longer uses: V8 gives that back when it likes. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import type { Server } from '../../test/support/server.ts';
import { BENCH_ENV } from './place.ts';

/** Has the server take requests of debuggers, on a port of its own. */
export const COLLECTABLE = { NODE_OPTIONS: `${BENCH_ENV.NODE_OPTIONS} --inspect=127.0.0.1:0` };

/** Has a server that was started so collect all garbage. */
const collect = async (server: Server): Promise<void> => {
  const [address] = /ws:\/\/127\.0\.0\.1:\S+/.exec(server.output()) ?? [];
  if (address === undefined) throw new Error(`the server takes no requests of debuggers; it said:\n${server.output()}`);
  const socket = new WebSocket(address);
  await once(socket, 'open');
  socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
  const [answer] = (await once(socket, 'message')) as [Buffer];
  socket.terminate();
  const { error } = JSON.parse(answer.toString()) as { error?: { message: string } };
  if (error !== undefined) throw new Error(`the server could not collect its garbage: ${error.message}`);
};

const residentKilobytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

/** What is unused is given back by helper threads, and what they free lets go of more: objects with memory outside of V8's. */
const ROUNDS = 3;
const PAUSE_MS = 1_000;

/** @returns resident kilobytes */
export const collected = async (server: Server): Promise<number> => {
  for (let round = 0; round < ROUNDS; round += 1) {
    await collect(server);
    await new Promise((next) => setTimeout(next, PAUSE_MS));
  }
  return residentKilobytes(server.pid);
};
