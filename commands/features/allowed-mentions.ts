/** `allowed_mentions`: which of the mentions that a text has count. */

import * as t from 'io-ts';
import type { SentMentions } from '../../domain/mentions.ts';
import { list, optional, Snowflake, wordOf } from '../../schemas/codecs.ts';
import { fieldError, type ParleyError } from '../../schemas/errors.ts';

const MOST = 100;
const itself = (one: string): string => one;
const ids = optional(list(Snowflake, MOST, itself));

export const AllowedMentions = t.partial({
  parse: optional(list(wordOf('roles', 'users', 'everyone'), MOST, itself)),
  users: ids,
  roles: ids,
  replied_user: optional(t.boolean),
});

/** Refuses all of a kind together with some of it. */
export const refuseBoth = (sent: SentMentions | null | undefined): ParleyError | undefined => {
  for (const kind of ['users', 'roles'] as const) {
    if (sent?.parse?.includes(kind) !== true || (sent[kind] ?? []).length === 0) continue;
    const problem = `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`;
    return fieldError(['allowed_mentions'], 'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE', problem);
  }
  return undefined;
};
