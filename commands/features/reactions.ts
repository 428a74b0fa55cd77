/** Reactions to a message: each person has each emoji at most once. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { ChannelState } from '../../domain/channel.ts';
import * as reactions from '../../domain/reactions.ts';
import { Snowflake } from '../../schemas/codecs.ts';
import { Emoji, isEmoji } from '../../schemas/emoji.ts';
import { parleyError } from '../../schemas/errors.ts';
import { OnMessage } from '../../schemas/http/route.ts';
import { channelStream } from '../../schemas/streams.ts';
import { command } from '../command.ts';
import { currentFacts, storedFacts } from '../states.ts';
import { actorInChannel } from './messages.ts';

const OnReaction = t.type({ ...OnMessage.props, emoji: Emoji });
const OnReactionOf = t.type({ ...OnReaction.props, user_id: Snowflake });
type OnReaction = t.TypeOf<typeof OnReaction>;

const aboutReaction = ({ message_id: messageId, emoji }: OnReaction, userId: string) => ({ messageId, userId, emoji });

const knownEmoji = ({ emoji }: { readonly emoji: string }) =>
  isEmoji(emoji) ? undefined : parleyError('unknownEmoji');

const reaction = <const K extends 'reaction.add' | 'reaction.remove'>(
  type: K,
  method: 'PUT' | 'DELETE',
  summary: string,
  decide: typeof reactions.addReaction,
) =>
  command({
    type,
    summary,
    route: {
      method,
      path: '/channels/:channel_id/messages/:message_id/reactions/:emoji/@me',
      status: 204,
      answers: 'Nothing.',
    },
    params: OnReaction,
    structural: false,
    limit: { bucket: 'reaction', key: (_, { userId }) => userId },
    check: knownEmoji,
    stream: ({ channel_id }) => channelStream(channel_id),
    rights: actorInChannel,
    prepare: async ({ fields, context }, deps) => {
      const about = aboutReaction(fields, context.actor.userId);
      return either.right(await storedFacts(deps.timelines, fields.channel_id, about));
    },
    decide: async (state: ChannelState, { rights, prepared, since }, { fields, context, cause }) => {
      const message = await currentFacts(prepared, aboutReaction(fields, context.actor.userId), since);
      return decide({ ...rights, key: cause.key, message, emoji: fields.emoji }, state);
    },
  });

export const addReaction = reaction('reaction.add', 'PUT', 'React with a Unicode emoji.', reactions.addReaction);
export const removeReaction = reaction(
  'reaction.remove',
  'DELETE',
  'Take your reaction back.',
  reactions.removeReaction,
);

export const removeReactionOf = command({
  type: 'reaction.remove-other',
  summary: "Take somebody else's reaction back.",
  route: {
    method: 'DELETE',
    path: '/channels/:channel_id/messages/:message_id/reactions/:emoji/:user_id',
    status: 204,
    answers: 'Nothing.',
  },
  params: OnReactionOf,
  structural: false,
  limit: { bucket: 'reaction', key: (_, { userId }) => userId },
  check: knownEmoji,
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorInChannel,
  prepare: async ({ fields }, deps) =>
    either.right(await storedFacts(deps.timelines, fields.channel_id, aboutReaction(fields, fields.user_id))),
  decide: async (state: ChannelState, { rights, prepared, since }, { fields, cause }) => {
    const { emoji, user_id: of } = fields;
    const message = await currentFacts(prepared, aboutReaction(fields, of), since);
    return reactions.removeReactionOf({ ...rights, key: cause.key, message, emoji, of }, state);
  },
});

type OnAny = t.TypeOf<typeof OnMessage>;

/** @param emojiOf with which emoji; null: all. What a command does not name is not decoded */
const clearing = <const K extends string, P extends typeof OnMessage | typeof OnReaction>(
  type: K,
  summary: string,
  path: string,
  params: P,
  emojiOf: (fields: t.TypeOf<P>) => string | null,
) =>
  command({
    type,
    summary,
    route: { method: 'DELETE', path, status: 204, answers: 'Nothing.' },
    params,
    structural: false,
    limit: { bucket: 'reaction', key: (_, { userId }) => userId },
    check: (fields: t.TypeOf<P>) => {
      const emoji = emojiOf(fields);
      return emoji === null ? undefined : knownEmoji({ emoji });
    },
    stream: ({ channel_id }: OnAny) => channelStream(channel_id),
    rights: actorInChannel,
    prepare: async ({ fields: { channel_id, message_id: messageId } }, deps) =>
      either.right(await storedFacts(deps.timelines, channel_id, { messageId })),
    decide: async (state: ChannelState, { rights, prepared, since }, { fields, cause }) => {
      const message = await currentFacts(prepared, { messageId: fields.message_id }, since);
      return reactions.clearReactions({ ...rights, key: cause.key, message, emoji: emojiOf(fields) }, state);
    },
  });

const ALL = '/channels/:channel_id/messages/:message_id/reactions';
export const clearReactions = clearing(
  'reaction.clear',
  'Take all reactions to a message back.',
  ALL,
  OnMessage,
  () => null,
);
export const clearEmoji = clearing(
  'reaction.clear-emoji',
  'Take all reactions with one emoji back.',
  `${ALL}/:emoji`,
  OnReaction,
  ({ emoji }) => emoji,
);
