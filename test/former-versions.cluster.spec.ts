import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { ROLES } from '../schemas/settings.ts';
import { formerVersionsSuite } from './suites/former-versions.ts';
import { startCluster } from './support/cluster.ts';
import { createNamespace } from './support/namespace.ts';

const FIXTURE = 'test/fixtures/v1/cluster';

formerVersionsSuite(FIXTURE, async () => {
  const namespace = await createNamespace();
  const client = new Client({ connectionString: namespace.env.PARLEY_LOG_URL });
  await client.connect();
  await client.query(readFileSync(`${FIXTURE}/postgres.sql`, 'utf8'));
  await client.end();
  const cluster = await startCluster({ processes: { all: ROLES.join(',') }, namespace });
  return {
    url: cluster.url('all'),
    close: async () => {
      await cluster.close();
      await namespace.drop();
    },
  };
});
