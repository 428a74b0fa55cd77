import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServices } from './choose.ts';
import { hasDocker } from './docker/engine.ts';
import { sharedServices } from './index.ts';
import { identityOf } from './native/identity.ts';
import { servicesFolder } from './paths.ts';
import type { OwnServices } from './port.ts';
import { endAbandoned, privateServices } from './private.ts';

const withRedis = async <A>(url: string, use: (redis: Redis) => Promise<A>): Promise<A> => {
  const redis = new Redis(url, { lazyConnect: true });
  try {
    await redis.connect();
    return await use(redis);
  } finally {
    redis.disconnect();
  }
};

const query = async (url: string, text: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};

const stateOf = async (services: OwnServices, wanted: string) =>
  (await services.status()).find(({ name }) => name === wanted)?.state;

describe('private servers', () => {
  let own: OwnServices;
  beforeEach(async () => {
    own = await privateServices();
  });
  afterEach(() => own.destroy());

  it('have ports of their own, below those of outgoing connections', () => {
    const ports = Object.values(own.ports);
    expect(ports.filter((port) => Object.values(sharedServices().ports).includes(port))).toEqual([]);
    expect(Math.max(...ports)).toBeLessThan(32_768);
  });

  it('are down until they are started, and answer afterwards', async () => {
    expect(await stateOf(own, 'redis')).toBe('down');
    await own.start('redis');
    expect(await stateOf(own, 'redis')).toBe('up');
    expect(await stateOf(own, 'postgres')).toBe('down');
    expect(await withRedis(own.urls.redis, (redis) => redis.ping())).toBe('PONG');
    expect(await own.logs('redis', 5)).toContain('Ready to accept connections');
  });

  it('are started once, however many callers ask at once', async () => {
    await Promise.all([own.start('redis'), own.start('redis'), own.start('redis')]);
    const id = () =>
      withRedis(own.urls.redis, (redis) => redis.info('server')).then((text) => /run_id:(\w+)/.exec(text)?.[1]);
    const first = await id();
    await own.start('redis');
    expect(await id()).toBe(first);
  });

  it('come back from a kill with their data', async () => {
    await own.start('postgres');
    await query(own.urls.postgres, 'CREATE TABLE kept (value integer)');
    await query(own.urls.postgres, 'INSERT INTO kept VALUES (7)');
    await own.kill('postgres');
    expect(await stateOf(own, 'postgres')).toBe('down');
    await own.start('postgres');
    expect(await query(own.urls.postgres, 'SELECT value FROM kept')).toEqual([{ value: 7 }]);
  });

  it('stop although a client is connected, and then refuse connections', async () => {
    await own.start('postgres');
    const client = new pg.Client({ connectionString: own.urls.postgres });
    client.on('error', () => {});
    await client.connect();
    await own.stop('postgres');
    await expect(query(own.urls.postgres, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await client.end().catch(() => {});
  });

  it('cannot be killed when they do not run', async () => {
    await expect(own.kill('redis')).rejects.toThrow(/redis: is not running/);
  });
});

describe.skipIf(await hasDocker())('plain processes', () => {
  let own: OwnServices;
  const directoryOf = (name: string) => join(servicesFolder, 'private', `${name}-${own.ports.redis}`);
  beforeEach(async () => {
    own = await privateServices();
  });
  afterEach(() => own.destroy());

  it('started by somebody else are used, and never stopped', async () => {
    await own.start('redis');
    const other = createServices({ directory: directoryOf('other'), ports: own.ports });
    await other.start('redis');
    expect(await stateOf(other, 'redis')).toBe('foreign');
    await other.stop('redis');
    await expect(other.kill('redis')).rejects.toThrow(/not started here/);
    await other.destroy();
    expect(await stateOf(own, 'redis')).toBe('up');
  });

  it('do not take a port that is in use, and name it', async () => {
    await own.start('redis');
    const other = createServices({
      directory: directoryOf('clash'),
      ports: { ...own.ports, postgres: own.ports.redis },
    });
    await expect(other.start('postgres')).rejects.toThrow(
      new RegExp(`postgres: port ${own.ports.redis} is taken by something else`),
    );
    await other.destroy();
  });

  it('that exit while they start are reported with their output', async () => {
    await own.start('redis');
    await own.stop('redis');
    await writeFile(join(own.directory, 'data/redis/appendonlydir/appendonly.aof.manifest'), 'no such thing');
    await expect(own.start('redis')).rejects.toThrow(/redis: ended while starting:(.|\n)*AOF manifest/);
    expect(await stateOf(own, 'redis')).toBe('down');
  });

  it('do not include KurrentDB, whose error names what it needs', async () => {
    await expect(own.start('kurrentdb')).rejects.toThrow(
      /kurrentdb: comes as a container image only: start a Docker engine/,
    );
  });

  it('whose test was killed are ended by the next test', async () => {
    await own.start('redis');
    const [redis] = (await own.status()).filter(({ name }) => name === 'redis');
    await writeFile(join(own.directory, 'owner.json'), JSON.stringify({ ...identityOf(process.pid), began: '1' }));
    await endAbandoned();
    expect(identityOf(redis?.pid ?? 0)).toBeUndefined();
    expect(existsSync(own.directory)).toBe(false);
  });
});
