/** Redis from Debian (7.0 or later, for sharded pub/sub). */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { programFrom } from './debian.ts';
import { findProgram } from './run.ts';
import type { NativeService } from './service.ts';

const PROBE_MS = 2_000;
const find = () => findProgram('redis-server');

export const redis: NativeService = {
  port: (ports) => ports.redis,
  endSignal: 'SIGTERM',
  install: async (tell) => {
    await programFrom(['redis-server'], find, tell);
  },
  prepare: async ({ data, configuration, ports }) => {
    await mkdir(data, { recursive: true });
    await mkdir(configuration, { recursive: true });
    const file = join(configuration, 'redis.conf');
    const lines = [
      'bind 127.0.0.1',
      `port ${ports.redis}`,
      `dir "${data}"`,
      'daemonize no',
      'appendonly yes',
      'appendfsync everysec',
      'save ""',
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    return { command: find() ?? 'redis-server', args: [file] };
  },
  probe: async (port) => {
    const client = new Redis({
      host: '127.0.0.1',
      port,
      lazyConnect: true,
      connectTimeout: PROBE_MS,
      commandTimeout: PROBE_MS,
      maxRetriesPerRequest: 0,
      retryStrategy: null as never,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.ping();
    } finally {
      client.disconnect();
    }
  },
};
