/** What a client can ask for. The types mirror the HTTP writes; an op 100 carries the same fields beside its `id` and `type`. */
import * as t from 'io-ts';
import { integer, optional, Snowflake, text } from '../codecs.ts';
import { Overwrite } from '../events/channel.ts';

const Nonce = t.union([text(0, 25, 'nonce'), integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)]);

const AllowedMentions = t.partial({
  parse: optional(t.array(t.string)),
  users: optional(t.array(Snowflake)),
  roles: optional(t.array(Snowflake)),
  replied_user: optional(t.boolean),
});

export const MESSAGE_LENGTH = 2000;

/** What the paths of the HTTP routes name. */
export const OnChannel = t.type({ channel_id: Snowflake });
export const OnGuild = t.type({ guild_id: Snowflake });
export const OnMessage = t.type({ channel_id: Snowflake, message_id: Snowflake });
export const OnReaction = t.type({ channel_id: Snowflake, message_id: Snowflake, emoji: text(1, 64, 'emoji') });
export const OnInvite = t.type({ code: text(2, 32, 'code') });

const content = {
  content: optional(text(0, MESSAGE_LENGTH, 'content')),
  embeds: optional(t.array(t.UnknownRecord)),
  allowed_mentions: optional(AllowedMentions),
};

/** What their bodies carry. A command's fields are those of its path and of its body. */
export const SendBody = t.partial({
  ...content,
  nonce: optional(Nonce),
  enforce_nonce: optional(t.boolean),
  tts: optional(t.boolean),
  flags: optional(integer(0, 2 ** 31 - 1)),
  message_reference: optional(
    t.intersection([t.type({ message_id: Snowflake }), t.partial({ fail_if_not_exists: optional(t.boolean) })]),
  ),
});
export const EditBody = t.partial(content);
export const ChannelBody = t.intersection([
  t.type({ name: text(1, 100, 'name') }),
  t.partial({
    type: optional(t.literal(0)),
    topic: optional(text(0, 1024, 'topic')),
    permission_overwrites: optional(t.array(Overwrite)),
  }),
]);
export const InviteBody = t.partial({
  /** Seconds; 0: never expires. */
  max_age: optional(integer(0, 604_800)),
  max_uses: optional(integer(0, 100)),
});
export const BotBody = t.type({ application_id: Snowflake });
export const GuildBody = t.type({ name: text(2, 100, 'name') });
export const DirectBody = t.type({ recipient_id: Snowflake });
export const ApplicationBody = t.type({ name: text(2, 32, 'name') });

export const commandCodecs = {
  'message.send': t.intersection([OnChannel, SendBody]),
  'message.edit': t.intersection([OnMessage, EditBody]),
  'message.delete': OnMessage,
  'reaction.add': OnReaction,
  'reaction.remove': OnReaction,
  'channel.read': OnMessage,
  'typing.start': OnChannel,
  'guild.create': GuildBody,
  'guild.join': OnInvite,
  'guild.leave': OnGuild,
  'channel.create': t.intersection([OnGuild, ChannelBody]),
  'invite.create': t.intersection([OnChannel, InviteBody]),
  'dm.create': DirectBody,
  'bot.add': t.intersection([OnGuild, BotBody]),
  'application.create': ApplicationBody,
} as const;

export type CommandType = keyof typeof commandCodecs;
export type CommandBody<K extends CommandType> = t.TypeOf<(typeof commandCodecs)[K]>;

/** A decoded command. Narrow it by `type`. */
export type Command = { [K in CommandType]: { readonly type: K; readonly body: CommandBody<K> } }[CommandType];
