/** Sign-ins and codes in the vault's SQLite file. */

import type Database from 'libsql';
import {
  type AccountMethods,
  CODE_COLUMNS,
  type CountedCode,
  codeId,
  codeOf,
  columnsOfCode,
  columnsOfSignIn,
  SIGN_IN_COLUMNS,
  type SignInColumns,
  signInOf,
} from '../accounts.ts';
import { type Code, isGood, type KnownCode, type SignIn, type VaultRecord } from '../port.ts';

/** Vaults from before get them when they are opened. */
export const ACCOUNT_TABLES = `
  CREATE TABLE IF NOT EXISTS sign_ins (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, generation INTEGER NOT NULL, device TEXT NOT NULL,
    created INTEGER NOT NULL, last_used INTEGER NOT NULL, expires INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS sign_ins_of_user ON sign_ins (user_id);
  CREATE TABLE IF NOT EXISTS codes (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, user_id TEXT, made_by TEXT NOT NULL, max_uses INTEGER NOT NULL,
    created INTEGER NOT NULL, expires INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS code_uses (id TEXT NOT NULL, used_by TEXT NOT NULL, PRIMARY KEY (id, used_by)) WITHOUT ROWID;
`;

interface Runs {
  /** Runs a change, which makes a new revision. */
  readonly change: <T>(work: () => T) => Promise<T>;
  /** Runs one that does not. */
  readonly run: <T>(work: () => T) => Promise<T>;
}

const SIGN_IN = `SELECT ${SIGN_IN_COLUMNS} FROM sign_ins`;
const CODE = `SELECT ${CODE_COLUMNS},
  (SELECT count(*) FROM code_uses u WHERE u.id = c.id) FROM codes c`;

export const accountsIn = (database: Database.Database) => {
  const sql = (text: string) => database.prepare(text);
  const run = {
    expire: sql('DELETE FROM sign_ins WHERE user_id = ? AND (expires <= ? OR generation < ?)'),
    signIn: sql('INSERT OR REPLACE INTO sign_ins VALUES (?, ?, ?, ?, ?, ?, ?)'),
    used: sql('UPDATE sign_ins SET last_used = max(last_used, ?), expires = max(expires, ?) WHERE id = ?'),
    code: sql('INSERT OR IGNORE INTO codes VALUES (?, ?, ?, ?, ?, ?, ?)'),
    remove: sql('DELETE FROM codes WHERE id = ?'),
    removeUses: sql('DELETE FROM code_uses WHERE id = ?'),
    use: sql('INSERT OR IGNORE INTO code_uses VALUES (?, ?)'),
    giveBack: sql('DELETE FROM code_uses WHERE id = ? AND used_by = ?'),
    eraseSignIns: sql('DELETE FROM sign_ins WHERE user_id = ?'),
    eraseUsesOf: sql('DELETE FROM code_uses WHERE id IN (SELECT id FROM codes WHERE user_id = ? OR made_by = ?)'),
    eraseCodes: sql('DELETE FROM codes WHERE user_id = ? OR made_by = ?'),
  };
  const ask = {
    ofUser: sql(`${SIGN_IN} WHERE user_id = ? ORDER BY created`).raw(true),
    all: sql(SIGN_IN).raw(true),
    code: sql(`${CODE} WHERE c.id = ?`).raw(true),
    codes: sql(`${CODE} WHERE c.kind = ? ORDER BY c.created DESC`).raw(true),
    allCodes: sql(CODE).raw(true),
    users: sql('SELECT used_by FROM code_uses WHERE id = ?').raw(true),
    hasUsed: sql('SELECT 1 FROM code_uses WHERE id = ? AND used_by = ?').raw(true),
  };
  const known = (id: string): KnownCode | undefined => {
    const row = ask.code.get([id]) as CountedCode | undefined;
    return row && codeOf(row);
  };
  const usersOf = (id: string) => (ask.users.all([id]) as [string][]).map(([userId]) => userId);

  const putSignIn = (signIn: SignIn) => void run.signIn.run(columnsOfSignIn(signIn));
  const putCode = (id: string, code: Code) => void run.code.run(columnsOfCode(id, code));

  return {
    methods: (runs: Runs): AccountMethods => ({
      noteSignIn: (signIn) =>
        runs.change(() => {
          run.expire.run([signIn.userId, signIn.lastUsed, signIn.generation]);
          putSignIn(signIn);
        }),
      noteUse: ({ id, lastUsed, expires }) => runs.run(() => void run.used.run([lastUsed, expires, id])),
      signIns: async (userId) => (ask.ofUser.all([userId]) as SignInColumns[]).map(signInOf),
      putCode: (code, about) =>
        runs.change(() => {
          putCode(codeId(code), about);
          return known(codeId(code))!;
        }),
      code: async (code) => known(codeId(code)),
      codes: async (kind) => (ask.codes.all([kind]) as CountedCode[]).map(codeOf),
      removeCode: (id) =>
        runs.change(() => {
          run.removeUses.run([id]);
          return run.remove.run([id]).changes === 1;
        }),
      useCode: (code, usedBy, now) =>
        runs.change(() => {
          const id = codeId(code);
          const found = known(id);
          if (found === undefined) return false;
          if (ask.hasUsed.get([id, usedBy]) !== undefined) return true;
          if (!isGood(found, now)) return false;
          run.use.run([id, usedBy]);
          return true;
        }),
      giveBackCode: (code, usedBy) => runs.change(() => void run.giveBack.run([codeId(code), usedBy])),
    }),

    *records(): Generator<VaultRecord> {
      for (const row of ask.all.all([]) as SignInColumns[]) yield { kind: 'sign-in', signIn: signInOf(row) };
      for (const row of ask.allCodes.all([]) as CountedCode[])
        yield { kind: 'code', code: codeOf(row), usedBy: usersOf(row[0]) };
    },

    /** Runs in the caller's transaction, as does `erase`. */
    restore(record: VaultRecord): void {
      if (record.kind === 'sign-in') putSignIn(record.signIn);
      if (record.kind !== 'code') return;
      putCode(record.code.id, record.code);
      for (const userId of record.usedBy) run.use.run([record.code.id, userId]);
    },

    erase(userId: string): void {
      run.eraseSignIns.run([userId]);
      run.eraseUsesOf.run([userId, userId]);
      run.eraseCodes.run([userId, userId]);
    },
  };
};
