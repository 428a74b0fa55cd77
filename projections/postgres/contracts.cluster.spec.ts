import { afterAll, beforeAll } from 'vitest';
import { audienceContract } from '../audience/contract.ts';
import { guildViewsContract } from '../guild-views/contract.ts';
import { snapshotContract } from '../snapshots/contract.ts';
import { PostgresSnapshots } from '../snapshots/postgres/store.ts';
import { schemaOf } from './generations.ts';
import { type TestPostgres, testPostgres } from './testing.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await testPostgres();
});
afterAll(() => postgres.drop());

const close = async () => {};

guildViewsContract('PostgreSQL', async () => {
  const { guilds, apply } = postgres.views(await postgres.generation());
  return { reader: guilds, apply, close };
});

audienceContract('PostgreSQL', async () => {
  const { audiences, apply } = postgres.views(await postgres.generation());
  return { reader: audiences, apply, close };
});

snapshotContract('PostgreSQL', async () => {
  const snapshots = new PostgresSnapshots(postgres.client, schemaOf(await postgres.generation()));
  return {
    latest: (stream) => snapshots.latest(stream),
    apply: (stored) => postgres.client.transaction((ask) => snapshots.write(ask, stored)),
    close,
  };
});
