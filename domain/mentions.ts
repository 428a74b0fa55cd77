/** Who a message speaks to. */
import type { Mentions } from '../schemas/events/channel.ts';

const USER = /<@!?(\d{1,19})>/g;
const EVERYONE = /@(everyone|here)\b/;

/** Which written mentions count; `undefined` lists allow every one of their kind. */
export interface AllowedMentions {
  readonly everyone: boolean;
  readonly users: boolean | readonly string[];
}

/** Discord's `allowed_mentions`, as sent; not sent: all count. */
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

/** Whether the author of the message replied to is told: not sent, yes; sent without saying so, no, as in Discord's API. */
export const tellsRepliedTo = (
  sent: { readonly replied_user?: boolean | null | undefined } | null | undefined,
): boolean => sent === null || sent === undefined || sent.replied_user === true;

/**
 * @param mayMentionEveryone whether the author has that permission in the channel.
 * @returns at most 100 users, each once, in the order written.
 */
export const mentionsIn = (content: string, allowed: AllowedMentions, mayMentionEveryone: boolean): Mentions => {
  // Most messages speak to nobody in particular.
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
