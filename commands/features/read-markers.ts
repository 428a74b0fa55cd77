/** Read markers: how far a user has read a channel. */

import { either } from 'fp-ts';
import { markRead, type ReadState } from '../../domain/read-markers.ts';
import { OnMessage } from '../../schemas/http/route.ts';
import { readStream } from '../../schemas/streams.ts';
import { command, refused } from '../command.ts';

export const markChannelRead = command({
  type: 'channel.read',
  summary: 'You have read everything up to this message.',
  route: {
    method: 'POST',
    path: '/channels/:channel_id/messages/:message_id/ack',
    status: 200,
    answers: '{token: null}',
  },
  params: OnMessage,
  structural: false,
  stream: (_, { userId }) => readStream(userId),
  rights: async ({ fields, context }, deps) =>
    (await deps.access.channel(context.actor.userId, fields.channel_id)) === undefined
      ? refused('unknownChannel')
      : either.right(undefined),
  prepare: async ({ fields: { channel_id, message_id }, context }, deps) => {
    const message = await deps.timelines.message(channel_id, message_id, context.actor.userId);
    if (message !== undefined) return either.right(message.ordinal);
    // An id beyond the head marks everything as read.
    const head = await deps.views.unread.head(channel_id);
    const beyond = head.messageId !== null && BigInt(message_id) > BigInt(head.messageId);
    return beyond ? either.right(head.ordinal) : refused('unknownMessage');
  },
  decide: (state: ReadState, { prepared: ordinal }, { fields, context }) =>
    markRead({ userId: context.actor.userId, channelId: fields.channel_id, ordinal }, state),
  answer: async () => either.right({ kind: 'marked' }),
});
