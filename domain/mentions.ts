/** Mentions in a message: outside code and not escaped, as Discord reads them. */
import { type Mentions, NO_MENTIONS } from '../schemas/events/channel.ts';

/** An escaped character, the beginning of code, a user, a role or everyone. */
const TOKEN = /\\[^\dA-Za-z\s]|`+|<@(!|&)?(\d{1,19})>|@(?:everyone|here)\b/g;
/** Three backquotes, perhaps the language's name, some text, three backquotes. */
const CODE_BLOCK = /```(?:[\w+\-.#]+?\n)?\n*[^\n][\s\S]*?```/y;

interface Mentioned {
  readonly kind: 'user' | 'role' | 'everyone';
  /** Empty for everyone. */
  readonly id: string;
}

/** What a text mentions outside code, in the order written. */
function* mentioned(content: string): Generator<Mentioned> {
  let runs: readonly RegExpExecArray[] | undefined;
  const token = new RegExp(TOKEN);
  for (let found = token.exec(content); found !== null; found = token.exec(content)) {
    const [written, sign, id] = found;
    if (id !== undefined) yield { kind: sign === '&' ? 'role' : 'user', id };
    else if (written.startsWith('@')) yield { kind: 'everyone', id: '' };
    else if (written.startsWith('`')) {
      runs ??= [...content.matchAll(/`+/g)];
      token.lastIndex = endOfCode(content, found, runs);
    }
  }
}

/**
 * Discord's rules: a block ends at the next three backquotes, a span at the next run of as many backquotes as it begins
 * with. If that is missing, a shorter run ends it, and if there is none either, it is no code.
 * @param runs of backquotes in the text
 * @returns where the text goes on
 */
const endOfCode = (content: string, begin: RegExpExecArray, runs: readonly RegExpExecArray[]): number => {
  CODE_BLOCK.lastIndex = begin.index;
  if (CODE_BLOCK.test(content)) return CODE_BLOCK.lastIndex;
  const afterwards = begin.index + begin[0].length;
  let end = { size: 0, at: afterwards };
  for (const {
    index,
    0: { length: size },
  } of runs) {
    if (index >= afterwards && size > end.size && size <= begin[0].length) end = { size, at: index + size };
  }
  return end.at;
};

/** Which written mentions of users or of roles count. */
type Allowed = boolean | readonly string[];

/** Which written mentions count. */
export interface AllowedMentions {
  readonly everyone: boolean;
  readonly users: Allowed;
  readonly roles: Allowed;
}

/** Discord's `allowed_mentions`, as clients send it. */
export interface SentMentions {
  readonly parse?: readonly string[] | null | undefined;
  readonly users?: readonly string[] | null | undefined;
  readonly roles?: readonly string[] | null | undefined;
  readonly replied_user?: boolean | null | undefined;
}

type Sent = SentMentions | null | undefined;

/** When it was not sent, all mentions count. */
export const allowedMentions = (sent: Sent): AllowedMentions => {
  if (sent === null || sent === undefined) return { everyone: true, users: true, roles: true };
  const parse = sent.parse ?? [];
  const allowed = (kind: 'users' | 'roles'): Allowed => (parse.includes(kind) ? true : (sent[kind] ?? false));
  return { everyone: parse.includes('everyone'), users: allowed('users'), roles: allowed('roles') };
};

/** Whether to notify the author of the message replied to: as Discord does, yes by default, no if sent without it. */
export const tellsRepliedTo = (sent: Sent): boolean =>
  sent === null || sent === undefined || sent.replied_user === true;

/** What the author may mention in the channel beside users. */
export interface Mentionable {
  readonly everyone: boolean;
  readonly roles: Pick<ReadonlySet<string>, 'has'>;
}

const MOST = 100;

/** @returns at most 100 users and 100 roles, each once, in the order written. */
export const mentionsIn = (content: string, allowed: AllowedMentions, mentionable: Mentionable): Mentions => {
  // Most messages mention nobody.
  if (!content.includes('@')) return NO_MENTIONS;
  const users = new Set<string>();
  const roles = new Set<string>();
  let everyone = false;
  for (const { kind, id } of mentioned(content)) {
    if (kind === 'everyone') everyone = true;
    else if (kind === 'user' && users.size < MOST && isAllowed(allowed.users, id)) users.add(id);
    else if (kind === 'role' && roles.size < MOST && mentionable.roles.has(id) && isAllowed(allowed.roles, id))
      roles.add(id);
  }
  return {
    users: [...users],
    everyone: everyone && allowed.everyone && mentionable.everyone,
    ...(roles.size === 0 ? {} : { roles: [...roles] }),
  };
};

const isAllowed = (allowed: Allowed, id: string): boolean =>
  typeof allowed === 'boolean' ? allowed : allowed.includes(id);
