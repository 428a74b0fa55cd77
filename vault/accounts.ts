/** Sign-ins and codes as the rows of every store. */

import { hashOf } from './passwords.ts';
import type { Code, KnownCode, SignIn, Vault } from './port.ts';

export type AccountMethods = Pick<
  Vault,
  'noteSignIn' | 'noteUse' | 'signIns' | 'putCode' | 'code' | 'codes' | 'removeCode' | 'useCode' | 'giveBackCode'
>;

export const SIGN_IN_COLUMNS = 'id, user_id, generation, device, created, last_used, expires';
export const CODE_COLUMNS = 'id, kind, user_id, made_by, max_uses, created, expires';

export type SignInColumns = [string, string, number, string, number, number, number];
type CodeColumns = [string, Code['kind'], string | null, string, number, number, number | null];
/** With how often it is used. */
export type CountedCode = [...CodeColumns, uses: number];

export const signInOf = ([id, userId, generation, device, created, lastUsed, expires]: SignInColumns): SignIn => ({
  ...{ id, userId, generation, device, created, lastUsed, expires },
});
export const columnsOfSignIn = (signIn: SignIn): SignInColumns => {
  const { id, userId, generation, device, created, lastUsed, expires } = signIn;
  return [id, userId, generation, device, created, lastUsed, expires];
};

export const codeOf = ([id, kind, userId, madeBy, maxUses, created, expires, uses]: CountedCode): KnownCode => ({
  ...{ id, kind, userId, madeBy, maxUses, created, expires, uses },
});
export const columnsOfCode = (id: string, code: Code): CodeColumns => {
  const { kind, userId, madeBy, maxUses, created, expires } = code;
  return [id, kind, userId, madeBy, maxUses, created, expires];
};

/** A code is kept under its hash. */
export const codeId = (code: string): string => hashOf(code).toString('hex');
