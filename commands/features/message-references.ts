/** `message_reference`: the message that a new one replies to, or that it forwards. */

import * as t from 'io-ts';
import { isWritten } from '../../domain/channel.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import { optional, Snowflake } from '../../schemas/codecs.ts';
import { fieldError, type ParleyError } from '../../schemas/errors.ts';
import type { Forwarded } from '../../schemas/events/channel.ts';
import type { CommandDeps } from '../command.ts';

const REPLY = 0;
const FORWARD = 1;

export const MessageReference = t.intersection([
  t.type({ message_id: Snowflake }),
  t.partial({
    type: optional(t.union([t.literal(REPLY), t.literal(FORWARD)])),
    channel_id: optional(Snowflake),
    guild_id: optional(Snowflake),
    fail_if_not_exists: optional(t.boolean),
  }),
]);

type Given = t.TypeOf<typeof MessageReference> | null | undefined;

/** Id of the message replied to. */
export const repliedTo = (given: Given): string | undefined =>
  given === null || given?.type === FORWARD ? undefined : given?.message_id;

/** The message forwarded, as the author names it. */
export const toForward = (given: Given): { readonly channelId: string; readonly messageId: string } | undefined =>
  given?.type === FORWARD ? { channelId: given.channel_id ?? '', messageId: given.message_id } : undefined;

/** Refuses a forward that does not say from where, or that says anything else. */
export const refuseForward = ({
  message_reference: given,
  content,
  embeds,
}: {
  readonly message_reference?: Given;
  readonly content?: string | null | undefined;
  readonly embeds?: readonly object[] | null | undefined;
}): ParleyError | undefined => {
  if (given?.type !== FORWARD) return undefined;
  if (given.channel_id == null)
    return fieldError(['message_reference', 'channel_id'], 'BASE_TYPE_REQUIRED', 'This field is required');
  const also = (content ?? '') !== '' ? 'content' : (embeds ?? []).length > 0 ? 'embeds' : undefined;
  return also === undefined
    ? undefined
    : fieldError([also], 'MESSAGE_FORWARD_CANNOT_HAVE_CONTENT', 'A message that forwards another says nothing else.');
};

/** @returns undefined: there is none that this person may read. A message that the server posted is not forwarded. */
export const readable = async (
  deps: Pick<CommandDeps, 'access' | 'timelines'>,
  userId: string,
  { channelId, messageId }: { readonly channelId: string; readonly messageId: string },
): Promise<Forwarded | undefined> => {
  const access = await deps.access.channel(userId, channelId);
  if (access === undefined || !allows(access.permissions, Permission.readMessageHistory)) return undefined;
  const message = await deps.timelines.message(channelId, messageId, userId);
  if (message === undefined || message.deleted || !isWritten(message)) return undefined;
  return { channelId, messageId, guildId: access.channel.guildId };
};
