/** Everything a vault's file holds, read out and put in. */
import type Database from 'libsql';
import type { VaultRecord } from '../port.ts';

export const archiveOf = (database: Database.Database) => {
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
    },

    /** Within a transaction of the caller's. */
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
          case 'signing-secret':
            break;
        }
      }
    },
  };
};
