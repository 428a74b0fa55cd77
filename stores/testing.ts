/** For specs: a proxy that can cut connections and lose data, a free port, and a database in memory. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import Database from 'libsql';
import type { Connection } from './sqlite/statements.ts';

/** A database in memory with the tables of one projection. */
export const memoryDatabase = (tables: string): Connection => {
  const db = new Database(':memory:');
  db.exec(tables);
  return db;
};

/** A loopback port on which nobody listens. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** Milliseconds of the fastest of three calls: a machine that stalls delays one of them. */
export const fastest = async (work: () => Promise<unknown>): Promise<number> => {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 3; n += 1) {
    const began = performance.now();
    await work();
    least = Math.min(least, performance.now() - began);
  }
  return least;
};

/** @param target loopback port to forward to */
export const startProxy = async (target: number) => {
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((from) => {
    const to = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.on('data', (data) => void (silent || other.write(data)));
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    /** Ends every connection and accepts no new ones. */
    async cut() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    /** Accepts connections again. */
    async mend() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    /** Loses everything sent on the present connections, for good; they stay open, and later ones work. */
    mute() {
      for (const socket of sockets) socket.removeAllListeners('data');
    },
    /** Loses everything sent from now on; connections stay open. */
    swallow(lost = true) {
      silent = lost;
    },
  };
};
