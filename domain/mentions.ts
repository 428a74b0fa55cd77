/** Mentions in a message: outside code and not escaped, as Discord reads them. */
import type { Mentions } from '../schemas/events/channel.ts';

/** An escaped character, the beginning of code, a user or everyone. */
const TOKEN = /\\[^\dA-Za-z\s]|`+|<@!?(\d{1,19})>|@(?:everyone|here)\b/g;
/** Three backquotes, perhaps the language's name, some text, three backquotes. */
const CODE_BLOCK = /```(?:[\w+\-.#]+?\n)?\n*[^\n][\s\S]*?```/y;

/** What a text mentions outside code, in the order written: ids of users, and `everyone`. */
function* mentioned(content: string): Generator<string> {
  let runs: readonly RegExpExecArray[] | undefined;
  const token = new RegExp(TOKEN);
  for (let found = token.exec(content); found !== null; found = token.exec(content)) {
    const [written, userId] = found;
    if (userId !== undefined) yield userId;
    else if (written.startsWith('@')) yield 'everyone';
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

/** Which written mentions count; an `undefined` list allows all of its kind. */
export interface AllowedMentions {
  readonly everyone: boolean;
  readonly users: boolean | readonly string[];
}

/** Reads Discord's `allowed_mentions`. When it was not sent, all mentions count. */
export const allowedMentions = (
  sent:
    | { readonly parse?: readonly string[] | null | undefined; readonly users?: readonly string[] | null | undefined }
    | null
    | undefined,
): AllowedMentions => {
  if (sent === null || sent === undefined) return { everyone: true, users: true };
  const parse = sent.parse ?? [];
  return { everyone: parse.includes('everyone'), users: parse.includes('users') ? true : (sent.users ?? false) };
};

/** Whether to notify the author of the message replied to: as Discord does, yes by default, no if sent without it. */
export const tellsRepliedTo = (
  sent: { readonly replied_user?: boolean | null | undefined } | null | undefined,
): boolean => sent === null || sent === undefined || sent.replied_user === true;

/**
 * @param mayMentionEveryone whether the author has that permission in the channel.
 * @returns at most 100 users, each once, in the order written.
 */
export const mentionsIn = (content: string, allowed: AllowedMentions, mayMentionEveryone: boolean): Mentions => {
  // Most messages mention nobody.
  if (!content.includes('@')) return { users: [], everyone: false };
  const isAllowed = (id: string) => (typeof allowed.users === 'boolean' ? allowed.users : allowed.users.includes(id));
  const users = new Set<string>();
  let everyone = false;
  for (const one of mentioned(content)) {
    if (one === 'everyone') everyone = true;
    else if (users.size < 100 && isAllowed(one)) users.add(one);
  }
  return { users: [...users], everyone: everyone && allowed.everyone && mayMentionEveryone };
};
