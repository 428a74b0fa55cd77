/** Mentions in a message. */
import type { Mentions } from '../schemas/events/channel.ts';

const USER = /<@!?(\d{1,19})>/g;
const EVERYONE = /@(everyone|here)\b/;

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
  const users = new Set<string>();
  if (allowed.users !== false) {
    for (const [, id] of content.matchAll(USER)) {
      if (allowed.users === true || allowed.users.includes(id!)) users.add(id!);
      if (users.size === 100) break;
    }
  }
  return { users: [...users], everyone: allowed.everyone && mayMentionEveryone && EVERYONE.test(content) };
};
