/** Read markers: how far a user has read a channel. */

import { either } from 'fp-ts';
import { markRead, type ReadState } from '../../domain/read-markers.ts';
import type { MessageRow } from '../../projections/views/timelines/view.ts';
import type { ChannelHead } from '../../projections/views/unread/view.ts';
import { OnMessage } from '../../schemas/http/route.ts';
import { readStream } from '../../schemas/streams.ts';
import { type CommandDeps, command, refused } from '../command.ts';

/** How long an acknowledgement waits for the timeline to hold the channel's last event, in milliseconds. */
const WAIT_MS = 1000;

/** Whether only deleted messages come after it. */
const isNewestLeft = async (
  { views }: Pick<CommandDeps, 'views'>,
  head: ChannelHead,
  { channelId, id, ordinal }: MessageRow,
): Promise<boolean> => {
  if (ordinal >= head.ordinal) return false;
  if (!(await views.progress('timelines').whenProcessed(head.position, WAIT_MS))) return false;
  return (await views.timelines.page(channelId, { after: id, limit: 1 }, '')).length === 0;
};

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
    const { userId } = context.actor;
    const message = await deps.timelines.message(channel_id, message_id, userId);
    const head = await deps.views.unread.head(channel_id);
    // An id beyond the head marks everything as read.
    const beyond = head.messageId !== null && BigInt(message_id) > BigInt(head.messageId);
    if (message === undefined && !beyond) return refused('unknownMessage');
    const all = message === undefined || (await isNewestLeft(deps, head, message));
    // The marker also moves with the person's own messages, so it is read once the views hold them.
    await deps.ownWrites.seen(userId, ['unread']);
    const [read] = await deps.views.unread.readStates(userId, [channel_id]);
    return either.right({ ordinal: all ? head.ordinal : message.ordinal, known: read?.readOrdinal ?? 0 });
  },
  decide: (state: ReadState, { prepared }, { fields, context }) =>
    markRead({ userId: context.actor.userId, channelId: fields.channel_id, ...prepared }, state),
  answer: async () => either.right({ kind: 'marked' }),
});
