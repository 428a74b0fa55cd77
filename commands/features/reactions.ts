/** Reactions to a message: each person has each emoji at most once. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as channel from '../../domain/channel.ts';
import { Snowflake } from '../../schemas/codecs.ts';
import { Emoji, isEmoji } from '../../schemas/emoji.ts';
import { parleyError } from '../../schemas/errors.ts';
import { channelStream } from '../../schemas/streams.ts';
import { command } from '../command.ts';
import { currentFacts, storedFacts } from '../states.ts';
import { actorInChannel } from './messages.ts';

const OnReaction = t.type({ channel_id: Snowflake, message_id: Snowflake, emoji: Emoji });
type OnReaction = t.TypeOf<typeof OnReaction>;

const aboutReaction = ({ message_id: messageId, emoji }: OnReaction, userId: string) => ({ messageId, userId, emoji });

const reaction = <const K extends 'reaction.add' | 'reaction.remove'>(
  type: K,
  method: 'PUT' | 'DELETE',
  summary: string,
  decide: typeof channel.addReaction,
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
    check: ({ emoji }) => (isEmoji(emoji) ? undefined : parleyError('unknownEmoji')),
    stream: ({ channel_id }) => channelStream(channel_id),
    rights: actorInChannel,
    prepare: async ({ fields, context }, deps) => {
      const about = aboutReaction(fields, context.actor.userId);
      return either.right(await storedFacts(deps.timelines, fields.channel_id, about));
    },
    decide: async (state: channel.ChannelState, { rights, prepared, since }, { fields, context, cause }) => {
      const message = await currentFacts(prepared, aboutReaction(fields, context.actor.userId), since);
      return decide({ ...rights, key: cause.key, message, emoji: fields.emoji }, state);
    },
    same: ({ data }, { fields }) =>
      'messageId' in data && data.messageId === fields.message_id && 'emoji' in data && data.emoji === fields.emoji,
  });

export const addReaction = reaction('reaction.add', 'PUT', 'React with a Unicode emoji.', channel.addReaction);
export const removeReaction = reaction('reaction.remove', 'DELETE', 'Take your reaction back.', channel.removeReaction);
