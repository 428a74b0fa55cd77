/** What a client can ask for. The types mirror the HTTP writes; an op 100 carries the same fields beside its `id` and `type`. */
import * as t from 'io-ts';
import { Overwrite } from '../events/index.ts';
import { integer, optional, Snowflake, text } from '../primitives.ts';

const Nonce = t.union([text(0, 25, 'nonce'), integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)]);

const AllowedMentions = t.partial({
  parse: optional(t.array(t.string)),
  users: optional(t.array(Snowflake)),
  roles: optional(t.array(Snowflake)),
  replied_user: optional(t.boolean),
});

export const MESSAGE_LENGTH = 2000;

export const SendMessage = t.intersection([
  t.type({ channel_id: Snowflake }),
  t.partial({
    content: optional(text(0, MESSAGE_LENGTH, 'content')),
    embeds: optional(t.array(t.UnknownRecord)),
    nonce: optional(Nonce),
    enforce_nonce: optional(t.boolean),
    tts: optional(t.boolean),
    flags: optional(integer(0, 2 ** 31 - 1)),
    message_reference: optional(
      t.intersection([t.type({ message_id: Snowflake }), t.partial({ fail_if_not_exists: optional(t.boolean) })]),
    ),
    allowed_mentions: optional(AllowedMentions),
  }),
]);

export const EditMessage = t.intersection([
  t.type({ channel_id: Snowflake, message_id: Snowflake }),
  t.partial({
    content: optional(text(0, MESSAGE_LENGTH, 'content')),
    embeds: optional(t.array(t.UnknownRecord)),
    allowed_mentions: optional(AllowedMentions),
  }),
]);

export const OnMessage = t.type({ channel_id: Snowflake, message_id: Snowflake });
export const OnReaction = t.type({ channel_id: Snowflake, message_id: Snowflake, emoji: text(1, 64, 'emoji') });
export const OnChannel = t.type({ channel_id: Snowflake });
export const OnGuild = t.type({ guild_id: Snowflake });

export const CreateGuild = t.type({ name: text(2, 100, 'name') });

export const CreateChannel = t.intersection([
  t.type({ guild_id: Snowflake, name: text(1, 100, 'name') }),
  t.partial({
    type: optional(t.literal(0)),
    topic: optional(text(0, 1024, 'topic')),
    permission_overwrites: optional(t.array(Overwrite)),
  }),
]);

export const CreateInvite = t.intersection([
  t.type({ channel_id: Snowflake }),
  t.partial({
    /** Seconds; 0: never expires. */
    max_age: optional(integer(0, 604_800)),
    max_uses: optional(integer(0, 100)),
  }),
]);

export const JoinGuild = t.type({ code: text(2, 32, 'code') });
export const OpenDirect = t.type({ recipient_id: Snowflake });
export const AddBot = t.type({ guild_id: Snowflake, application_id: Snowflake });
export const CreateApplication = t.type({ name: text(2, 32, 'name') });

export const commandCodecs = {
  'message.send': SendMessage,
  'message.edit': EditMessage,
  'message.delete': OnMessage,
  'reaction.add': OnReaction,
  'reaction.remove': OnReaction,
  'channel.read': OnMessage,
  'typing.start': OnChannel,
  'guild.create': CreateGuild,
  'guild.join': JoinGuild,
  'guild.leave': OnGuild,
  'channel.create': CreateChannel,
  'invite.create': CreateInvite,
  'dm.create': OpenDirect,
  'bot.add': AddBot,
  'application.create': CreateApplication,
} as const;

export type CommandType = keyof typeof commandCodecs;
export type CommandBody<K extends CommandType> = t.TypeOf<(typeof commandCodecs)[K]>;

/** A decoded command. Narrow it by `type`. */
export type Command = { [K in CommandType]: { readonly type: K; readonly body: CommandBody<K> } }[CommandType];
