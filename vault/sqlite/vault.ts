/** The vault in one SQLite file and the signing secret beside it. */

import { createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import type Database from 'libsql';
import { nameKey } from '../../schemas/text.ts';
import { makeDirectory } from '../../stores/directory.ts';
import { ifPossible, refusalOf } from '../../stores/sqlite/failures.ts';
import { HeldFiles } from '../../stores/sqlite/held-files.ts';
import { SharedTransaction } from '../../stores/sqlite/shared-transaction.ts';
import { DEFAULT_COST, formerKey, hashOf, type PasswordCost, Passwords } from '../passwords.ts';
import type { UsernameHolder, Vault, VaultRecord } from '../port.ts';
import { accountsIn } from './accounts.ts';
import { openVaultFile, readSigningSecret, replaceSigningSecret, VAULT_FILE } from './open.ts';

/** Exports and imports everything in a vault's file. */
const archiveOf = (database: Database.Database, accounts: ReturnType<typeof accountsIn>) => {
  const all = <Row>(sql: string) => database.prepare(sql).raw(true).all([]) as Row[];
  const put = {
    username: database.prepare('INSERT OR REPLACE INTO usernames VALUES (?, ?, ?)'),
    password: database.prepare('INSERT OR REPLACE INTO passwords VALUES (?, ?)'),
    tokenSecret: database.prepare('INSERT OR REPLACE INTO token_secrets VALUES (?, ?)'),
    key: database.prepare('INSERT OR REPLACE INTO keys VALUES (?, ?)'),
  };

  return {
    async *records(signingSecret: Buffer): AsyncGenerator<VaultRecord> {
      yield { kind: 'signing-secret', secret: signingSecret.toString('base64') };
      for (const [name, userId, confirmed] of all<[string, string, number]>('SELECT * FROM usernames'))
        yield { kind: 'username', name, userId, confirmed: confirmed === 1 };
      for (const [userId, hash] of all<[string, string]>('SELECT * FROM passwords'))
        yield { kind: 'password', userId, hash };
      for (const [userId, hash] of all<[string, Buffer]>('SELECT * FROM token_secrets'))
        yield { kind: 'token-secret', userId, hash: hash.toString('base64') };
      for (const [userId, key] of all<[string, Buffer]>('SELECT * FROM keys'))
        yield { kind: 'key', userId, key: key.toString('base64') };
      yield* accounts.records();
    },

    /** Runs in the caller's transaction. */
    restore(records: readonly VaultRecord[]): void {
      for (const record of records) {
        switch (record.kind) {
          case 'username':
            put.username.run([record.name, record.userId, record.confirmed ? 1 : 0]);
            break;
          case 'password':
            put.password.run([record.userId, record.hash]);
            break;
          case 'token-secret':
            put.tokenSecret.run([record.userId, Buffer.from(record.hash, 'base64')]);
            break;
          case 'key':
            put.key.run([record.userId, Buffer.from(record.key, 'base64')]);
            break;
          case 'sign-in':
          case 'code':
            accounts.restore(record);
            break;
          case 'signing-secret':
            break;
        }
      }
    },
  };
};

export interface SqliteVaultOptions {
  readonly directory: string;
  /** The files without which nothing is stored; the vault adds its own. Default: only its own. */
  readonly files?: HeldFiles;
  /** Default: OWASP's recommendation. */
  readonly passwordCost?: PasswordCost;
}

/** The vault of a data folder, which knows the log beside it. */
export interface SqliteVault extends Vault {
  /** Its own id, and how often it has been changed: both are on the disk. */
  note(): { readonly id: string; readonly revision: number };
  /** Whether nobody was ever registered. */
  isEmpty(): boolean;
  /** The identity of the log's file, as last noted. */
  notedLog(): string | undefined;
  noteLog(identity: string): Promise<void>;
}

const KEY_BYTES = 32;

/** Ids per statement; more need several statements. */
const KEYS_PER_READ = 1_000;

/**
 * Opens the vault of a data folder, or creates it. The caller has locked the directory for this process.
 * @throws UnusableVault when a file is not ours, damaged, read-only, of a newer format, or readable by others
 */
export const openSqliteVault = async (options: SqliteVaultOptions): Promise<SqliteVault> => {
  const { directory, files = new HeldFiles(), passwordCost = DEFAULT_COST } = options;
  makeDirectory(directory, 'PARLEY_DATA');
  let secret = readSigningSecret(directory);
  const database = openVaultFile(directory);
  const passwords = new Passwords(passwordCost);
  const file = join(directory, VAULT_FILE);
  const commits = new SharedTransaction(database, 'vault', files.hold(file, `${file}-wal`));
  const read = (sql: string) => database.prepare(sql).raw(true);
  const write = (sql: string) => database.prepare(sql);

  const selectHolder = read('SELECT user_id, confirmed FROM usernames WHERE name = ?');
  const reserve = write('INSERT OR IGNORE INTO usernames VALUES (?, ?, 0)');
  const confirm = write('UPDATE usernames SET confirmed = 1 WHERE name = ? AND user_id = ?');
  const release = write('DELETE FROM usernames WHERE name = ? AND user_id = ? AND confirmed = 0');
  const takeOver = write('UPDATE usernames SET user_id = ? WHERE name = ? AND user_id = ? AND confirmed = 0');
  const selectPassword = read('SELECT hash FROM passwords WHERE user_id = ?');
  const putPassword = write('INSERT OR REPLACE INTO passwords VALUES (?, ?)');
  const swapPassword = write('UPDATE passwords SET hash = ? WHERE user_id = ? AND hash = ?');
  const selectSecret = read('SELECT hash FROM token_secrets WHERE user_id = ?');
  const putSecret = write('INSERT OR REPLACE INTO token_secrets VALUES (?, ?)');
  const swapSecret = write('UPDATE token_secrets SET hash = ? WHERE user_id = ? AND hash = ?');
  const removeSecret = write('DELETE FROM token_secrets WHERE user_id = ? AND hash = ?');
  const addSecret = write('INSERT OR IGNORE INTO token_secrets VALUES (?, ?)');
  const selectKey = read('SELECT key FROM keys WHERE user_id = ?');
  const selectKeys = read('SELECT user_id, key FROM keys WHERE user_id IN (SELECT value FROM json_each(?))');
  const insertKey = write('INSERT OR IGNORE INTO keys VALUES (?, ?)');
  const deletions = ['keys', 'passwords', 'token_secrets', 'usernames'].map((table) =>
    write(`DELETE FROM ${table} WHERE user_id = ?`),
  );
  const selectRemembered = read('SELECT epoch, position FROM remembered');
  const remember = write(
    `INSERT INTO remembered VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET
       position = iif(epoch = excluded.epoch, max(position, excluded.position), excluded.position), epoch = excluded.epoch`,
  );

  const selectAnybody = read('SELECT 1 FROM usernames UNION ALL SELECT 1 FROM keys LIMIT 1');
  const selectNote = read('SELECT value FROM notes WHERE name = ?');
  const putNote = write('INSERT OR REPLACE INTO notes VALUES (?, ?)');
  const noted = (name: string) => (selectNote.get([name]) as [string] | undefined)?.[0];
  const id = noted('id')!;
  let revision = Number(noted('revision'));

  /** Runs a change, which makes a new revision. */
  const change = async <T>(work: () => T): Promise<T> => {
    let next = revision;
    const answer = await commits.run(() => {
      next = Number(noted('revision')) + 1;
      putNote.run(['revision', String(next)]);
      return work();
    });
    revision = Math.max(revision, next);
    return answer;
  };

  const accounts = accountsIn(database);
  const archive = archiveOf(database, accounts);

  const holder = (name: string): UsernameHolder | undefined => {
    const row = selectHolder.get([name]) as [string, number] | undefined;
    return row && { userId: row[0], confirmed: row[1] === 1 };
  };
  const holdsSecret = (userId: string, tokenSecret: string): boolean => {
    const row = selectSecret.get([userId]) as [Buffer] | undefined;
    return row !== undefined && timingSafeEqual(row[0], hashOf(tokenSecret));
  };
  const keyOf = (userId: string): KeyObject | undefined => {
    const row = selectKey.get([userId]) as [Buffer] | undefined;
    return row && createSecretKey(row[0]);
  };

  return {
    signingSecret: async () => secret,

    reserveUsername(username, userId) {
      const name = nameKey(username);
      return change(() => {
        reserve.run([name, userId]);
        return holder(name)!;
      });
    },
    confirmUsername(username, userId) {
      return change(() => void confirm.run([nameKey(username), userId]));
    },
    takeOverUsername(username, from, to) {
      const name = nameKey(username);
      return change(() => {
        takeOver.run([to, name, from]);
        return holder(name);
      });
    },
    releaseUsername(username, userId) {
      return change(() => void release.run([nameKey(username), userId]));
    },
    usernameHolder: async (username) => holder(formerKey(username)) ?? holder(nameKey(username)),

    async setPassword(userId, password) {
      const hash = await passwords.hash(password);
      await change(() => void putPassword.run([userId, hash]));
    },
    async changePassword(userId, present, next) {
      const [former] = (selectPassword.get([userId]) as [string] | undefined) ?? [];
      if (!(await passwords.verify(former, present))) return undefined;
      const hash = await passwords.hash(next);
      const swap = (from: string, to: string) => change(() => swapPassword.run([to, userId, from]).changes === 1);
      return (await swap(former!, hash)) ? async () => void (await swap(hash, former!)) : undefined;
    },
    async verifyPassword(userId, password) {
      const row = userId === undefined ? undefined : (selectPassword.get([userId]) as [string] | undefined);
      return passwords.verify(row?.[0], password);
    },

    addTokenSecret(userId, tokenSecret) {
      return change(() => {
        addSecret.run([userId, hashOf(tokenSecret)]);
        return holdsSecret(userId, tokenSecret);
      });
    },
    async setTokenSecret(userId, tokenSecret) {
      const hash = hashOf(tokenSecret);
      const former = await change(() => {
        const row = selectSecret.get([userId]) as [Buffer] | undefined;
        putSecret.run([userId, hash]);
        return row?.[0];
      });
      return () =>
        change(() => void (former ? swapSecret.run([former, userId, hash]) : removeSecret.run([userId, hash])));
    },
    verifyTokenSecret: async (userId, tokenSecret) => holdsSecret(userId, tokenSecret),

    createKey(userId) {
      return change(() => {
        insertKey.run([userId, randomBytes(KEY_BYTES)]);
        return keyOf(userId)!;
      });
    },
    key: async (userId) => keyOf(userId),
    async keys(userIds) {
      const keys = new Map<string, KeyObject>();
      for (let i = 0; i < userIds.length; i += KEYS_PER_READ) {
        const some = JSON.stringify(userIds.slice(i, i + KEYS_PER_READ));
        for (const [userId, key] of selectKeys.all([some]) as [string, Buffer][])
          keys.set(userId, createSecretKey(key));
      }
      return keys;
    },
    ...accounts.methods({ change, run: (work) => commits.run(work) }),

    async erase(userId) {
      await change(() => {
        for (const deletion of deletions) deletion.run([userId]);
        accounts.erase(userId);
      });
      // Deleting overwrites the row, but older copies of its page are in the journal and, after splits, in free pages.
      try {
        database.exec('VACUUM');
        database.pragma('wal_checkpoint(TRUNCATE)');
      } catch (failure) {
        throw refusalOf('vault', failure);
      }
    },

    rememberPosition(epoch, position) {
      return commits.run(() => void remember.run([epoch, position]));
    },
    async rememberedPosition() {
      const row = selectRemembered.get([]) as [string, number] | undefined;
      return row && { epoch: row[0], position: row[1] };
    },

    note: () => ({ id, revision }),
    isEmpty: () => selectAnybody.get([]) === undefined,
    notedLog: () => noted('log'),
    noteLog: (identity) => commits.run(() => void putNote.run(['log', identity])),

    records: () => archive.records(secret),
    async restore(records) {
      await change(() => archive.restore(records));
      const signing = records.find((record) => record.kind === 'signing-secret');
      if (signing === undefined) return;
      secret = Buffer.from(signing.secret, 'base64');
      replaceSigningSecret(directory, secret);
    },

    async close() {
      await commits.close(new Error('The vault is closed.'));
      ifPossible(() => database.pragma('wal_checkpoint(TRUNCATE)'));
      database.close();
    },
  };
};
