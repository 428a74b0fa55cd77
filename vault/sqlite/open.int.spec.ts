import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openVaultFile, UnusableVault } from './open.ts';
import { openSqliteVault } from './vault.ts';

const passwordCost = { memoryCost: 64, timeCost: 1, parallelism: 1 };

let root: string;
let directory: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'parley-vault-'));
  directory = join(root, 'data');
});
afterEach(() => rmSync(root, { recursive: true }));

const open = () => openSqliteVault({ directory, passwordCost });
const file = (name: string) => join(directory, name);
const modeOf = (path: string) => statSync(path).mode & 0o777;

const written = async (people: number): Promise<void> => {
  const vault = await open();
  await Promise.all(Array.from({ length: people }, (_, i) => vault.createKey(`person-${i}`)));
  await vault.close();
};

const refused = async (says: RegExp): Promise<void> => {
  const refusal = await open().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(UnusableVault);
  expect((refusal as Error).message).toMatch(says);
};

describe('a new vault', () => {
  it('is readable by its owner only', async () => {
    await written(1);
    expect(modeOf(directory)).toBe(0o700);
    expect(modeOf(file('vault.db'))).toBe(0o600);
    expect(modeOf(file('signing.key'))).toBe(0o600);
  });

  it('syncs every commit and overwrites deleted data', () => {
    mkdirSync(directory);
    const database = openVaultFile(directory);
    const pragma = (name: string) => database.prepare(`PRAGMA ${name}`).raw(true).get();
    expect(pragma('journal_mode')).toEqual(['wal']);
    expect(pragma('synchronous')).toEqual([2]);
    expect(pragma('secure_delete')).toEqual([1]);
    database.close();
  });

  it('stores neither passwords nor token secrets, and hashes passwords with argon2id', async () => {
    const vault = await open();
    await vault.setPassword('1', 'correct horse battery');
    await vault.setTokenSecret('1', 'secret-of-a-bot');
    await vault.close();
    const bytes = readFileSync(file('vault.db')).toString('latin1');
    expect(bytes).not.toContain('correct horse');
    expect(bytes).not.toContain('secret-of-a-bot');
    expect(bytes).toContain('$argon2id$v=19$m=64,t=1,p=1$');
  });
});

describe('a destroyed key', () => {
  it('is gone from all of the vault’s files', async () => {
    const vault = await open();
    await Promise.all(Array.from({ length: 500 }, (_, i) => vault.createKey(`person-${i}`)));
    const key = (await vault.key('person-250'))!.export();
    const isAnywhere = () => ['vault.db', 'vault.db-wal'].some((name) => readFileSync(file(name)).includes(key));
    expect(isAnywhere()).toBe(true);
    await vault.erase('person-250');
    expect(isAnywhere()).toBe(false);
    await vault.close();
  });
});

it('opening a vault of format 1 gives its names their key without invisible characters, and signs in everybody still', async () => {
  await written(1);
  const former = new Database(file('vault.db'));
  former.exec(`PRAGMA user_version = 1; INSERT INTO usernames VALUES
    ('bob', '1', 1), ('bob\ufe0f', '2', 1), ('ann\u200b', '3', 1), ('an\u034fn', '4', 1)`);
  former.close();
  for (let time = 0; time < 2; time += 1) {
    const vault = await open();
    const holders = [];
    for (const name of ['bob', 'BOB\ufe0f', 'ann', 'ann\u200b', 'an\u034fn'])
      holders.push((await vault.usernameHolder(name))?.userId);
    expect(holders).toEqual(['1', '2', '3', '3', '4']);
    expect(await vault.reserveUsername('ann\ufe0f', '9')).toEqual({ userId: '3', confirmed: true });
    await vault.close();
  }
});

describe('opening a vault is refused', () => {
  it('when others may read the signing key', async () => {
    await written(1);
    chmodSync(file('signing.key'), 0o644);
    await refused(/signing\.key may be read by others \(mode 644\).*chmod 600/);
  });

  it('when the signing key is damaged', async () => {
    await written(1);
    for (const content of ['', 'abc', 'z'.repeat(64), 'a'.repeat(65)]) {
      writeFileSync(file('signing.key'), content);
      await refused(/signing\.key is damaged.*64 hexadecimal digits/);
    }
  });

  it('when the file is not a database, or is another program’s', async () => {
    await written(1);
    rmSync(file('vault.db'));
    rmSync(file('vault.db-wal'), { force: true });
    writeFileSync(file('vault.db'), 'not a database at all\n'.repeat(300));
    await refused(/vault\.db is not a Parley vault/);
    rmSync(file('vault.db'));
    const other = new Database(file('vault.db'));
    other.exec('CREATE TABLE recipes (name)');
    other.close();
    await refused(/some other program/);
  });

  it('when the file was written by a newer Parley', async () => {
    await written(1);
    const newer = new Database(file('vault.db'));
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    await refused(/format 99.*Start the Parley that wrote it/);
  });

  it('when the file is marked read-only', async () => {
    await written(1);
    chmodSync(file('vault.db'), 0o400);
    await refused(/marked read-only/);
  });

  it('when the file has been truncated or emptied', async () => {
    await written(2_000);
    const whole = readFileSync(file('vault.db'));
    for (const length of [whole.length - 4_096, whole.length - 100, 5_000, 0]) {
      truncateSync(file('vault.db'), length);
      await refused(/damaged|cut short|is empty/);
      writeFileSync(file('vault.db'), whole);
    }
  });

  it('when one byte of a text has changed, which would end the process when it is read', async () => {
    await written(20);
    const content = readFileSync(file('vault.db'));
    const place = content.indexOf('person-7');
    expect(place).toBeGreaterThan(0);
    content[place + 2] = 0xff;
    writeFileSync(file('vault.db'), content);
    await refused(/damaged \(text in \w+ is not UTF-8\)/);
  });

  it('when one of its pages has changed', async () => {
    await written(2_000);
    const content = readFileSync(file('vault.db'));
    content.fill(0, 4_096 * 10, 4_096 * 11);
    writeFileSync(file('vault.db'), content);
    await refused(/damaged/);
  });
});
