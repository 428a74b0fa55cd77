/** Sign-ins and codes in the vault's PostgreSQL. */

import type { Ask, Postgres } from '../../stores/postgres/connection.ts';
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

export const ACCOUNT_TABLES = `
CREATE TABLE vault_sign_ins (
  id text PRIMARY KEY, user_id text NOT NULL, generation bigint NOT NULL, device text NOT NULL,
  created bigint NOT NULL, last_used bigint NOT NULL, expires bigint NOT NULL
);
CREATE INDEX vault_sign_ins_of_user ON vault_sign_ins (user_id);
CREATE TABLE vault_codes (
  id text PRIMARY KEY, kind text NOT NULL, user_id text, made_by text NOT NULL, max_uses bigint NOT NULL,
  created bigint NOT NULL, expires bigint
);
CREATE TABLE vault_code_uses (id text NOT NULL, used_by text NOT NULL, PRIMARY KEY (id, used_by));
`;

const SIGN_IN = `SELECT ${SIGN_IN_COLUMNS} FROM vault_sign_ins`;
const CODE = `SELECT ${CODE_COLUMNS},
  (SELECT count(*) FROM vault_code_uses u WHERE u.id = c.id) FROM vault_codes c`;

const addSignIn = (signIn: SignIn): [text: string, values: unknown[]] => [
  `INSERT INTO vault_sign_ins VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET
     device = excluded.device, last_used = excluded.last_used, expires = excluded.expires`,
  columnsOfSignIn(signIn),
];
const addCode = (id: string, code: Code): [text: string, values: unknown[]] => [
  'INSERT INTO vault_codes VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING',
  columnsOfCode(id, code),
];
const ADD_USE = 'INSERT INTO vault_code_uses VALUES ($1, $2) ON CONFLICT DO NOTHING';

export const accountsIn = (database: Postgres): AccountMethods => {
  const codes = async (where: string, values: readonly unknown[]): Promise<readonly KnownCode[]> =>
    (await database.rows<CountedCode>(`${CODE} ${where}`, [...values])).map(codeOf);
  const byId = async (id: string) => (await codes('WHERE c.id = $1', [id]))[0];
  return {
    async noteSignIn(signIn) {
      const { userId, lastUsed, generation } = signIn;
      const expired = 'DELETE FROM vault_sign_ins WHERE user_id = $1 AND (expires <= $2 OR generation < $3)';
      await database.rows(expired, [userId, lastUsed, generation]);
      await database.rows(...addSignIn(signIn));
    },
    async noteUse({ id, lastUsed, expires }) {
      await database.rows(
        `UPDATE vault_sign_ins SET last_used = greatest(last_used, $2), expires = greatest(expires, $3) WHERE id = $1`,
        [id, lastUsed, expires],
      );
    },
    async signIns(userId) {
      const found = await database.rows<SignInColumns>(`${SIGN_IN} WHERE user_id = $1 ORDER BY created`, [userId]);
      return found.map(signInOf);
    },
    async putCode(code, about) {
      await database.rows(...addCode(codeId(code), about));
      return (await byId(codeId(code)))!;
    },
    code: (code) => byId(codeId(code)),
    codes: (kind) => codes('WHERE c.kind = $1 ORDER BY c.created DESC', [kind]),
    async removeCode(id) {
      const removed = await database.rows('DELETE FROM vault_codes WHERE id = $1 RETURNING id', [id]);
      await database.rows('DELETE FROM vault_code_uses WHERE id = $1', [id]);
      return removed.length === 1;
    },
    useCode: (code, usedBy, now) =>
      database.transaction(async (ask) => {
        const id = codeId(code);
        // Whoever uses it at the same time waits here.
        const locked = await ask<unknown>({
          text: 'SELECT id FROM vault_codes WHERE id = $1 FOR UPDATE',
          values: [id],
        });
        if (locked.length === 0) return false;
        const { known, has } = await usesOf(ask, id, usedBy);
        if (has) return true;
        if (!isGood(known, now)) return false;
        await ask({ text: ADD_USE, values: [id, usedBy] });
        return true;
      }),
    async giveBackCode(code, usedBy) {
      await database.rows('DELETE FROM vault_code_uses WHERE id = $1 AND used_by = $2', [codeId(code), usedBy]);
    },
  };
};

const usesOf = async (ask: Ask, id: string, usedBy: string) => {
  const text = `SELECT max_uses AS "maxUses", expires,
    (SELECT count(*) FROM vault_code_uses u WHERE u.id = c.id) AS uses,
    EXISTS (SELECT 1 FROM vault_code_uses u WHERE u.id = c.id AND u.used_by = $2) AS has
    FROM vault_codes c WHERE c.id = $1`;
  const [row] = await ask<KnownCode & { readonly has: boolean }>({ text, values: [id, usedBy] });
  return { known: row!, has: row!.has };
};

export async function* accountRecords(database: Postgres): AsyncGenerator<VaultRecord> {
  for (const columns of await database.rows<SignInColumns>(SIGN_IN))
    yield { kind: 'sign-in', signIn: signInOf(columns) };
  const uses = await database.rows<[string, string]>('SELECT id, used_by FROM vault_code_uses');
  for (const columns of await database.rows<CountedCode>(CODE)) {
    const code = codeOf(columns);
    yield { kind: 'code', code, usedBy: uses.filter(([id]) => id === code.id).map(([, userId]) => userId) };
  }
}

/** Statements that store a record of these kinds. */
export const restoringAccounts = (
  record: Extract<VaultRecord, { readonly kind: 'sign-in' | 'code' }>,
): (readonly [text: string, values: unknown[]])[] =>
  record.kind === 'sign-in'
    ? [addSignIn(record.signIn)]
    : [
        addCode(record.code.id, record.code),
        ...record.usedBy.map((userId) => [ADD_USE, [record.code.id, userId]] as [string, unknown[]]),
      ];
