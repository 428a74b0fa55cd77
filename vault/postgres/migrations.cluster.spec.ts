import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COORDINATION_MIGRATIONS } from '../../coordination/postgres/migrations.ts';
import { createDatabase, type TestDatabase } from '../../services/testing.ts';
import { Postgres } from '../../stores/postgres/connection.ts';
import { migrate } from '../../stores/postgres/migrations.ts';
import { formerDatabase, inDatabase, layoutOf } from '../../stores/postgres/testing.ts';
import type { Vault, VaultRecord } from '../port.ts';
import { VAULT_MIGRATIONS } from './migrations.ts';
import { openPostgresVault } from './vault.ts';

const passwordCost = { memoryCost: 1024, timeCost: 1, parallelism: 1 };
const TABLES = '^(vault_[a-z_]*|workers|checkpoints|leaderships|coordination_[a-z_]*)$';

const recordsOf = async (vault: Vault): Promise<readonly VaultRecord[]> => {
  const records: VaultRecord[] = [];
  for await (const record of vault.records()) records.push(record);
  return records;
};

describe('a vault from before migrations existed', () => {
  let former: TestDatabase;
  const open: { close(): Promise<unknown> }[] = [];
  const opened = async (): Promise<Vault> => {
    const vault = await openPostgresVault({ url: former.url, passwordCost });
    open.push(vault);
    return vault;
  };
  const coordination = async (): Promise<void> => {
    const postgres = new Postgres('vault', { url: former.url });
    open.push(postgres);
    await migrate(postgres, COORDINATION_MIGRATIONS);
  };

  beforeEach(async () => {
    former = await formerDatabase();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await former.drop();
  });

  it('keeps its names, passwords, tokens, keys and signing secret', async () => {
    const count = async (table: string) =>
      (await inDatabase<{ n: number }>(former.url, `SELECT count(*)::integer AS n FROM vault_${table}`))[0]!.n;
    const kinds = ['signing', 'usernames', 'passwords', 'token_secrets', 'keys'];
    const before = await Promise.all(kinds.map(count));
    const [{ secret }] = (await inDatabase<{ secret: Buffer }>(former.url, 'SELECT secret FROM vault_signing')) as [
      { secret: Buffer },
    ];
    const vault = await opened();
    expect(await vault.signingSecret()).toEqual(secret);
    expect(await recordsOf(vault)).toHaveLength(before.reduce((sum, n) => sum + n));
    expect(Math.min(...before)).toBeGreaterThan(0);
    expect(await vault.reserveUsername('somebody new', '77')).toEqual({ userId: '77', confirmed: false });
    await vault.createKey('77');
    expect(await vault.key('77')).toBeDefined();
  });

  it('is migrated once, with the tables of coordination, however many start at once and however often', async () => {
    await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 ? opened() : coordination())));
    await opened();
    await coordination();
    const names = async (table: string) =>
      (await inDatabase<{ name: string }>(former.url, `SELECT name FROM ${table} ORDER BY name`)).map(
        ({ name }) => name,
      );
    expect(await names('vault_migrations')).toEqual(Object.keys(VAULT_MIGRATIONS.steps));
    expect(await names('coordination_migrations')).toEqual(Object.keys(COORDINATION_MIGRATIONS.steps));
  });

  it('gets the layout of a new vault', async () => {
    const fresh = await createDatabase();
    await (await openPostgresVault({ url: fresh.url, passwordCost })).close();
    const postgres = new Postgres('vault', { url: fresh.url });
    await migrate(postgres, COORDINATION_MIGRATIONS);
    await postgres.close();
    await opened();
    await coordination();
    const layout = await layoutOf(fresh.url, TABLES);
    expect(layout.length).toBeGreaterThan(20);
    expect(await layoutOf(former.url, TABLES)).toEqual(layout);
    await fresh.drop();
  });

  it('of a newer Parley is refused with an error that says so', async () => {
    await opened();
    await inDatabase(former.url, `INSERT INTO vault_migrations VALUES ('999-later', 'now')`);
    await expect(openPostgresVault({ url: former.url })).rejects.toThrow(/^The vault is a newer Parley's: .*999-later/);
  });
});
