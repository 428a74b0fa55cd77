/** PostgreSQL from Debian: durable, open to everybody on loopback (trust), with the superuser `parley`. */

import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { ServiceMissing } from '../port.ts';
import type { Ports } from '../ports.ts';
import { programFrom } from './debian.ts';
import { findProgram, run } from './run.ts';
import type { Account, NativeService, Place } from './service.ts';

const LIBRARIES = '/usr/lib/postgresql';
const PROBE_MS = 2_000;

/** Debian keeps these off the PATH, in one folder per version. The newest comes first. */
const folders = (): readonly string[] =>
  existsSync(LIBRARIES)
    ? readdirSync(LIBRARIES)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(LIBRARIES, version, 'bin'))
    : [];

const program = (name: string): string => {
  const file = findProgram(name, folders());
  if (file === undefined) throw new ServiceMissing(`PostgreSQL's ${name} is missing`);
  return file;
};

/** PostgreSQL refuses to run as root. */
const accountFor = async (place: Place): Promise<Account | undefined> => {
  if (process.getuid?.() !== 0) return undefined;
  const account = {
    uid: Number(await run('id', ['-u', 'postgres'])),
    gid: Number(await run('id', ['-g', 'postgres'])),
  };
  try {
    await run('test', ['-x', dirname(place.data)], { account });
  } catch {
    throw new ServiceMissing(
      `the account "postgres" may not enter ${dirname(place.data)}: "chmod o+x" each folder above it, or do not run as root`,
    );
  }
  return account;
};

const initialize = async (place: Place, account: Account | undefined): Promise<void> => {
  if (existsSync(join(place.data, 'PG_VERSION'))) return;
  const draft = `${place.data}.part`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  if (account !== undefined) await chown(draft, account.uid, account.gid);
  const options = ['--username=parley', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-instructions'];
  await run(program('initdb'), ['-D', draft, ...options], account === undefined ? {} : { account });
  await run('mv', ['-T', draft, place.data]);
};

export const postgres = (name: 'postgres' | 'views'): NativeService => ({
  port: (ports: Ports) => ports[name],
  // TERM would wait until the last client has disconnected.
  endSignal: 'SIGINT',
  install: async (tell) => {
    await programFrom(['postgresql'], () => findProgram('postgres', folders()), tell);
  },
  prepare: async (place) => {
    const account = await accountFor(place);
    await initialize(place, account);
    const settings = {
      port: place.ports[name],
      listen_addresses: '127.0.0.1',
      // A socket path may have at most 107 characters, and a checkout may lie deeper, so loopback must do.
      unix_socket_directories: '',
      fsync: 'on',
      max_connections: 300,
      shared_buffers: '128MB',
    };
    const args = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const launch = { command: program('postgres'), args: ['-D', place.data, ...args] };
    return account === undefined ? launch : { ...launch, account };
  },
  probe: async (port) => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'parley',
      database: 'postgres',
      connectionTimeoutMillis: PROBE_MS,
      query_timeout: PROBE_MS,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('SELECT 1');
    } finally {
      await client.end().catch(() => {});
    }
  },
});
