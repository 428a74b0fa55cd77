/** The vault in PostgreSQL, the same for every node. */

import { createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { nameKey } from '../../schemas/text.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import type { Watch } from '../../stores/guard.ts';
import { Postgres } from '../../stores/postgres/connection.ts';
import { migrate } from '../../stores/postgres/migrations.ts';
import { DEFAULT_COST, formerKey, hashOf, type PasswordCost, Passwords } from '../passwords.ts';
import type { UsernameHolder, Vault, VaultRecord } from '../port.ts';
import { accountRecords, accountsIn, restoringAccounts } from './accounts.ts';
import { VAULT_MIGRATIONS } from './migrations.ts';

export interface PostgresVaultOptions {
  /** `postgres://[user:password@]host[:port]/database[?sslmode=...]` */
  readonly url: string;
  /** Default: OWASP's recommendation. */
  readonly passwordCost?: PasswordCost;
  /**
   * How long a reservation may belong to a registration in progress on another node. Default: the longest such time.
   */
  readonly takeOverAfterMs?: number;
  readonly watch?: Watch;
}

const KEY_BYTES = 32;

const holderOf = ([row]: readonly [userId: string, confirmed: boolean][]): UsernameHolder | undefined =>
  row && { userId: row[0], confirmed: row[1] };

async function* recordsOf(database: Postgres): AsyncGenerator<VaultRecord> {
  for (const [secret] of await database.rows<[Buffer]>('SELECT secret FROM vault_signing'))
    yield { kind: 'signing-secret', secret: secret.toString('base64') };
  const usernames = 'SELECT name, user_id, confirmed FROM vault_usernames';
  for (const [name, userId, confirmed] of await database.rows<[string, string, boolean]>(usernames))
    yield { kind: 'username', name, userId, confirmed };
  for (const [userId, hash] of await database.rows<[string, string]>('SELECT user_id, hash FROM vault_passwords'))
    yield { kind: 'password', userId, hash };
  for (const [userId, hash] of await database.rows<[string, Buffer]>('SELECT user_id, hash FROM vault_token_secrets'))
    yield { kind: 'token-secret', userId, hash: hash.toString('base64') };
  for (const [userId, key] of await database.rows<[string, Buffer]>('SELECT user_id, key FROM vault_keys'))
    yield { kind: 'key', userId, key: key.toString('base64') };
  yield* accountRecords(database);
}

const restoring = (
  record: Exclude<VaultRecord, { readonly kind: 'sign-in' | 'code' }>,
): readonly [text: string, values: unknown[]] => {
  switch (record.kind) {
    case 'signing-secret':
      return [
        'INSERT INTO vault_signing (secret) VALUES ($1) ON CONFLICT (one) DO UPDATE SET secret = excluded.secret',
        [Buffer.from(record.secret, 'base64')],
      ];
    case 'username':
      return [
        `INSERT INTO vault_usernames VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET user_id = excluded.user_id, confirmed = excluded.confirmed`,
        [record.name, record.userId, record.confirmed],
      ];
    case 'password':
      return [
        'INSERT INTO vault_passwords VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash',
        [record.userId, record.hash],
      ];
    case 'token-secret':
      return [
        'INSERT INTO vault_token_secrets VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash',
        [record.userId, Buffer.from(record.hash, 'base64')],
      ];
    case 'key':
      return [
        'INSERT INTO vault_keys VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET key = excluded.key',
        [record.userId, Buffer.from(record.key, 'base64')],
      ];
  }
};

/** @throws StoreUnavailable when the server cannot be reached, as does every method that needs it. */
export const openPostgresVault = async (options: PostgresVaultOptions): Promise<Vault> => {
  const database = new Postgres('vault', { url: options.url, watch: options.watch });
  const rows: Postgres['rows'] = (text, values) => database.rows(text, values);
  const { takeOverAfterMs = BUDGETS.vault.takeOverAfterMs } = options;
  const passwords = new Passwords(options.passwordCost ?? DEFAULT_COST);
  try {
    await migrate(database, VAULT_MIGRATIONS);
    // The first node's secret wins; every node reads it back.
    await rows('INSERT INTO vault_signing (secret) VALUES ($1) ON CONFLICT DO NOTHING', [randomBytes(KEY_BYTES)]);
  } catch (error) {
    await database.close();
    throw error;
  }
  let signing: Buffer | undefined;
  const holder = async (name: string) =>
    holderOf(await rows<[string, boolean]>('SELECT user_id, confirmed FROM vault_usernames WHERE name = $1', [name]));
  const holdsSecret = async (userId: string, secret: string): Promise<boolean> => {
    const [row] = await rows<[Buffer]>('SELECT hash FROM vault_token_secrets WHERE user_id = $1', [userId]);
    return row !== undefined && timingSafeEqual(row[0], hashOf(secret));
  };
  /** Calls made before closing are still answered. */
  const underWay = new Set<Promise<unknown>>();
  const tracked = <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    const done = () => void underWay.delete(work);
    work.then(done, done);
    return work;
  };

  return {
    async signingSecret() {
      if (signing === undefined) [signing] = (await rows<[Buffer]>('SELECT secret FROM vault_signing'))[0]!;
      return signing;
    },

    async reserveUsername(username, userId) {
      const name = nameKey(username);
      // Retries if the holder releases the name in between.
      for (;;) {
        await rows('INSERT INTO vault_usernames VALUES ($1, $2, false) ON CONFLICT DO NOTHING', [name, userId]);
        const found = await holder(name);
        if (found !== undefined) return found;
      }
    },
    async confirmUsername(username, userId) {
      await rows('UPDATE vault_usernames SET confirmed = true WHERE name = $1 AND user_id = $2', [
        nameKey(username),
        userId,
      ]);
    },
    async takeOverUsername(username, from, to) {
      const name = nameKey(username);
      await rows(
        `UPDATE vault_usernames SET user_id = $1, reserved = now() WHERE name = $2 AND user_id = $3 AND NOT confirmed
           AND reserved <= now() - $4 * interval '1 millisecond'`,
        [to, name, from, takeOverAfterMs],
      );
      return holder(name);
    },
    async releaseUsername(username, userId) {
      await rows('DELETE FROM vault_usernames WHERE name = $1 AND user_id = $2 AND NOT confirmed', [
        nameKey(username),
        userId,
      ]);
    },
    async usernameHolder(username) {
      const [former, key] = [formerKey(username), nameKey(username)];
      return (former === key ? undefined : await holder(former)) ?? holder(key);
    },

    async setPassword(userId, password) {
      const hash = await passwords.hash(password);
      await rows(
        'INSERT INTO vault_passwords VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash',
        [userId, hash],
      );
    },
    async changePassword(userId, present, next) {
      const [row] = await rows<[string]>('SELECT hash FROM vault_passwords WHERE user_id = $1', [userId]);
      if (!(await passwords.verify(row?.[0], present))) return undefined;
      const [former, hash] = [row![0], await passwords.hash(next)];
      const swap = (from: string, to: string) =>
        rows('UPDATE vault_passwords SET hash = $1 WHERE user_id = $2 AND hash = $3', [to, userId, from]);
      await swap(former, hash);
      // Not the number of rows changed: a statement that was repeated after a lost answer changes none.
      const [now] = await rows<[string]>('SELECT hash FROM vault_passwords WHERE user_id = $1', [userId]);
      return now?.[0] === hash ? async () => void (await swap(hash, former)) : undefined;
    },
    async verifyPassword(userId, password) {
      const [row] =
        userId === undefined
          ? []
          : await rows<[string]>('SELECT hash FROM vault_passwords WHERE user_id = $1', [userId]);
      return passwords.verify(row?.[0], password);
    },

    async addTokenSecret(userId, secret) {
      await rows('INSERT INTO vault_token_secrets VALUES ($1, $2) ON CONFLICT DO NOTHING', [userId, hashOf(secret)]);
      return holdsSecret(userId, secret);
    },
    async setTokenSecret(userId, secret) {
      const hash = hashOf(secret);
      const [former] = await rows<[Buffer]>('SELECT hash FROM vault_token_secrets WHERE user_id = $1', [userId]);
      await rows(
        'INSERT INTO vault_token_secrets VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash',
        [userId, hash],
      );
      const undo =
        former === undefined
          ? 'DELETE FROM vault_token_secrets WHERE user_id = $1 AND hash = $2'
          : 'UPDATE vault_token_secrets SET hash = $3 WHERE user_id = $1 AND hash = $2';
      return async () => void (await rows(undo, [userId, hash, ...(former ?? [])]));
    },
    verifyTokenSecret: holdsSecret,

    createKey: (userId) =>
      tracked(
        (async () => {
          await rows('INSERT INTO vault_keys VALUES ($1, $2) ON CONFLICT DO NOTHING', [userId, randomBytes(KEY_BYTES)]);
          const [row] = await rows<[Buffer]>('SELECT key FROM vault_keys WHERE user_id = $1', [userId]);
          return createSecretKey(row![0]);
        })(),
      ),
    async key(userId) {
      const [row] = await rows<[Buffer]>('SELECT key FROM vault_keys WHERE user_id = $1', [userId]);
      return row && createSecretKey(row[0]);
    },
    async keys(userIds) {
      const found = await rows<[string, Buffer]>(
        'SELECT user_id, key FROM vault_keys WHERE user_id = ANY($1::text[])',
        [userIds],
      );
      return new Map<string, KeyObject>(found.map(([userId, key]) => [userId, createSecretKey(key)]));
    },
    ...accountsIn(database),

    async erase(userId) {
      const uses =
        'DELETE FROM vault_code_uses WHERE id IN (SELECT id FROM vault_codes WHERE user_id = $1 OR made_by = $1)';
      await rows(uses, [userId]);
      await rows('DELETE FROM vault_codes WHERE user_id = $1 OR made_by = $1', [userId]);
      const tables = ['vault_keys', 'vault_passwords', 'vault_token_secrets', 'vault_usernames', 'vault_sign_ins'];
      for (const table of tables) await rows(`DELETE FROM ${table} WHERE user_id = $1`, [userId]);
      // Otherwise the rows stay readable in the files until the next vacuum.
      for (const table of [...tables, 'vault_codes', 'vault_code_uses']) await rows(`VACUUM ${table}`);
    },

    async rememberPosition(epoch, position) {
      await rows(
        `INSERT INTO vault_remembered (epoch, position) VALUES ($1, $2) ON CONFLICT (one) DO UPDATE SET epoch = $1,
           position = CASE WHEN vault_remembered.epoch = $1 THEN greatest(vault_remembered.position, $2) ELSE $2 END`,
        [epoch, position],
      );
    },
    async rememberedPosition() {
      const [row] = await rows<[string, number]>('SELECT epoch, position FROM vault_remembered');
      return row && { epoch: row[0], position: row[1] };
    },

    records: () => recordsOf(database),
    async restore(records) {
      await database.transaction(async (ask) => {
        for (const record of records) {
          const isOfAccount = record.kind === 'sign-in' || record.kind === 'code';
          for (const [text, values] of isOfAccount ? restoringAccounts(record) : [restoring(record)])
            await ask({ text, values });
        }
      });
      signing = undefined;
    },

    async close() {
      await Promise.allSettled(underWay);
      await database.close();
    },
  };
};
