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

/** A message elsewhere, as the author of a forward names it. */
interface Source {
  readonly channelId: string;
  readonly messageId: string;
  /** Absent: not said. */
  readonly guildId: string | undefined;
}

/** The message forwarded. */
export const toForward = (given: Given): Source | undefined =>
  given?.type === FORWARD
    ? { channelId: given.channel_id ?? '', messageId: given.message_id, guildId: given.guild_id ?? undefined }
    : undefined;

/** A reply stays in its channel. What says nothing of the channel means that one. */
const ELSEWHERE = fieldError(
  ['message_reference'],
  'REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL',
  'Cannot reply to a message in a different channel',
);

/** What is wrong with a reply that names another guild than that of its channel; null: of none. */
export const inOtherGuild = (given: Given, guildId: string | null): ParleyError | undefined =>
  repliedTo(given) !== undefined && given?.guild_id != null && given.guild_id !== guildId ? ELSEWHERE : undefined;

/** Refuses a reply into another channel, and a forward that does not say from where or that says anything else. */
export const refuseReference = ({
  channel_id,
  message_reference: given,
  content,
  embeds,
}: {
  readonly channel_id: string;
  readonly message_reference?: Given;
  readonly content?: string | null | undefined;
  readonly embeds?: readonly object[] | null | undefined;
}): ParleyError | undefined => {
  if (given?.type !== FORWARD)
    return given?.channel_id == null || given.channel_id === channel_id ? undefined : ELSEWHERE;
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
  { channelId, messageId, guildId }: Source,
): Promise<Forwarded | undefined> => {
  const access = await deps.access.channel(userId, channelId);
  if (access === undefined || !allows(access.permissions, Permission.readMessageHistory)) return undefined;
  if (guildId !== undefined && guildId !== access.channel.guildId) return undefined;
  const message = await deps.timelines.message(channelId, messageId, userId);
  if (message === undefined || message.deleted || !isWritten(message)) return undefined;
  return { channelId, messageId, guildId: access.channel.guildId };
};
