/** For specs: unique names on the shared server, the servers of a cluster, and a proxy that can be cut. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis as Driver } from 'ioredis';
import { systemClock } from '../../schemas/clock.ts';
import { ports, urls } from '../../services/endpoints.ts';
import { freePort, startProxy } from '../testing.ts';
import { openRedis, type Redis, type RedisOptions } from './connection.ts';

export const randomName = (): string => `t${randomBytes(5).toString('hex')}`;

/** The shared server, which is never gone, is waited for longer than a machine stalls. */
export const connected = async (options: Partial<RedisOptions> = { timeoutMs: 20_000 }): Promise<Redis> => {
  const redis = openRedis({ clock: systemClock, url: urls.redis, ...options });
  await redis.whenConnected();
  return redis;
};

/** Removes every key with the name. */
export const dropNamed = async (redis: Redis, name: string): Promise<void> => {
  for await (const { server, keys } of redis.scan(`*${name}:*`))
    await Promise.all(keys.map((key) => server.unlink(key)));
};

/** A proxy to the shared server, or to the one at `port`. */
export const proxied = async (port: number = ports.redis) => {
  const proxy = await startProxy(port);
  return { ...proxy, url: `redis://127.0.0.1:${proxy.port}` };
};

const SLOTS = 16_384;

export interface TestRedisCluster {
  readonly url: string;
  stop(): Promise<void>;
}

/** Its cluster bus listens on the port plus ten thousand. */
const portOfNode = async (): Promise<number> => {
  const port = await freePort();
  return port > 55_000 ? portOfNode() : port;
};

/** Three masters with a third of the slots each, started for one spec. */
export const redisCluster = async (): Promise<TestRedisCluster> => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-redis-'));
  const nodes: { readonly port: number; readonly process: ChildProcess; readonly client: Driver }[] = [];
  const stop = async () => {
    for (const { process, client } of nodes) {
      client.disconnect();
      if (process.exitCode !== null) continue;
      const ended = once(process, 'exit');
      process.kill('SIGKILL');
      await ended;
    }
    rmSync(folder, { recursive: true });
  };
  for (let n = 0; n < 3; n += 1) {
    const port = await portOfNode();
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--cluster-enabled', 'yes', '--save', ''];
    const files = ['--dir', folder, '--cluster-config-file', `nodes-${n}.conf`];
    const process = spawn('redis-server', [...settings, ...files], { stdio: 'ignore' });
    nodes.push({ port, process, client: new Driver(port, '127.0.0.1', { retryStrategy: () => 50 }) });
    nodes.at(-1)!.client.on('error', () => {});
  }
  try {
    for (const [n, { client }] of nodes.entries()) {
      const [from, to] = [n, n + 1].map((part) => Math.floor((part * SLOTS) / nodes.length)) as [number, number];
      await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to - 1);
      if (n > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', nodes[0]!.port);
    }
    // Each node must know all the others.
    for (const { client } of nodes)
      while (!/cluster_state:ok.*cluster_known_nodes:3/s.test(await client.cluster('INFO')))
        await new Promise((resolve) => setTimeout(resolve, 50));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`, stop };
};
