import { afterAll, beforeAll } from 'vitest';
import { audienceContract } from '../../views/audience-index/contract.ts';
import { auditLogContract } from '../../views/audit-log/contract.ts';
import { banContract } from '../../views/bans/contract.ts';
import { guildViewsContract } from '../../views/guild-views/contract.ts';
import { pinContract } from '../../views/pins/contract.ts';
import { reportContract } from '../../views/reports/contract.ts';
import { snapshotContract } from '../../views/snapshots/contract.ts';
import { PostgresSnapshots } from '../../views/snapshots/sql.ts';
import { streamHeadContract } from '../../views/stream-heads/contract.ts';
import { type TestPostgres, testPostgres } from './testing.ts';
import { schemaOf } from './views.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await testPostgres();
});
afterAll(() => postgres.drop());

const close = async () => {};

guildViewsContract('PostgreSQL', async () => {
  const { guilds, apply } = postgres.views(await postgres.emptied());
  return { reader: guilds, apply, close };
});

audienceContract('PostgreSQL', async () => {
  const { audiences, apply } = postgres.views(await postgres.emptied());
  return { reader: audiences, apply, close };
});

banContract('PostgreSQL', async () => {
  const { bans, apply } = postgres.views(await postgres.emptied());
  return { reader: bans, apply, close };
});

auditLogContract('PostgreSQL', async () => {
  const { audit, apply } = postgres.views(await postgres.emptied());
  return { reader: audit, apply, close };
});

pinContract('PostgreSQL', async () => {
  const { pins, apply } = postgres.views(await postgres.emptied());
  return { reader: pins, apply, close };
});

reportContract('PostgreSQL', async () => {
  const { reports, apply } = postgres.views(await postgres.emptied());
  return { reader: reports, apply, close };
});

streamHeadContract('PostgreSQL', async () => {
  const { streams, apply } = postgres.views(await postgres.emptied());
  return { reader: streams, apply, close };
});

snapshotContract('PostgreSQL', async () => {
  const snapshots = new PostgresSnapshots(postgres.client, schemaOf(await postgres.emptied()));
  return {
    latest: (stream) => snapshots.latest(stream),
    apply: (stored) => postgres.client.transaction((ask) => snapshots.write(ask, stored)),
    close,
  };
});
