/** A process of a cluster whose servers are not there yet. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it, vi } from 'vitest';
import { freePort } from '../stores/testing.ts';
import { environmentWith } from './support/parley.ts';

let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));

it('says which servers it waits for, answers that it is alive and not ready, and stops cleanly', async () => {
  const [port, gone] = [await freePort(), await freePort()];
  const at = `127.0.0.1:${gone}`;
  const env = environmentWith({
    PARLEY_HOST: '127.0.0.1',
    PARLEY_PORT: String(port),
    PARLEY_PROFILE: 'cluster',
    PARLEY_LOG_URL: `postgres://${at}/log`,
    PARLEY_VAULT_URL: `postgres://${at}/vault`,
    PARLEY_VIEWS_URL: `postgres://${at}/views`,
    PARLEY_REDIS_URL: `redis://${at}`,
    PARLEY_KAFKA_URL: `kafka://${at}`,
    PARLEY_CASSANDRA_URL: `cassandra://${at}`,
  });
  child = spawn(process.execPath, ['dist/parley.js', 'serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr!.on('data', (text) => {
    told += text;
  });
  const names = ['The event log', 'The vault', 'The PostgreSQL of the guild views', 'Redis', 'Kafka', 'Cassandra'];
  await vi.waitFor(
    () => {
      for (const name of names)
        expect(told).toMatch(new RegExp(`parley: ${name} \\(PARLEY_\\w+\\) cannot be reached at ${at}`));
    },
    { timeout: 20_000, interval: 50 },
  );
  const url = `http://127.0.0.1:${port}`;
  expect((await fetch(`${url}/health`)).status).toBe(200);
  const ready = await fetch(`${url}/ready`);
  const { reasons } = (await ready.json()) as { reasons: string[] };
  expect(ready.status).toBe(503);
  for (const name of names) expect(reasons.join('\n')).toContain(`waiting for ${name} (PARLEY_`);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
}, 40_000);
