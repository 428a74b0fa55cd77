/** Direct channels, read markers, typing, applications: commands about one or two users. */

import { either } from 'fp-ts';
import { markRead, type ReadState } from '../../domain/read-markers.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import { readStream } from '../../schemas/streams.ts';
import { causeOf, type Handler, outcome, refused } from '../command.ts';

export const markChannelRead: Handler<CommandBody<'channel.read'>> = async (deps, context, command, gate) => {
  const { userId } = context.actor;
  const stream = readStream(userId);
  const channelId = command.channel_id;
  const result = await deps.mailboxes.run({
    stream,
    cause: causeOf(context, 'channel.read'),
    prepare: async () => {
      const passed = await gate();
      if (either.isLeft(passed)) return passed;
      if ((await deps.access.channel(userId, channelId)) === undefined) return refused('unknownChannel');
      const message = await deps.timelines.message(channelId, command.message_id, userId);
      if (message !== undefined) return either.right(message.ordinal);
      // Beyond the head: everything there is counts as read.
      const head = await deps.views.unread.head(channelId);
      const beyond = head.messageId !== null && BigInt(command.message_id) > BigInt(head.messageId);
      return beyond ? either.right(head.ordinal) : refused('unknownMessage');
    },
    decide: (state: ReadState, ordinal) => markRead({ userId, channelId, ordinal }, state),
  });
  return either.isLeft(result) ? result : outcome(stream, result.right, { token: null });
};
