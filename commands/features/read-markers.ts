/** Read markers: how far a user has read a channel. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { type Mark, markRead, markUnread, type ReadState } from '../../domain/read-markers.ts';
import type { MessageRow } from '../../projections/views/timelines/view.ts';
import type { ChannelHead } from '../../projections/views/unread/view.ts';
import { integer, list, optional } from '../../schemas/codecs.ts';
import { OnMessage } from '../../schemas/http/route.ts';
import { Acknowledged } from '../../schemas/http/shapes.ts';
import { inParallel } from '../../schemas/parallel.ts';
import { readStream } from '../../schemas/streams.ts';
import { type CommandDeps, command, type Result, refused } from '../command.ts';

/** How long an acknowledgement waits for the timeline to hold the channel's last event, in milliseconds. */
const WAIT_MS = 1000;
/** Most markers of one command. */
const MOST = 100;
/** Channels looked up at the same time, each of which may take that wait. */
const TOGETHER = 25;

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

/** What each marker asks for, without those at unknown messages. */
const marksOf = async (
  deps: CommandDeps,
  userId: string,
  markers: readonly t.TypeOf<typeof OnMessage>[],
): Promise<readonly Mark[]> => {
  const ordinals = await inParallel(markers, TOGETHER, async ({ channel_id, message_id }) => {
    const message = await deps.timelines.message(channel_id, message_id, userId);
    const head = await deps.views.unread.head(channel_id);
    // An id beyond the head marks everything as read.
    const beyond = head.messageId !== null && BigInt(message_id) > BigInt(head.messageId);
    if (message === undefined) return beyond ? head.ordinal : undefined;
    return (await isNewestLeft(deps, head, message)) ? head.ordinal : message.ordinal;
  });
  // The marker also moves with the person's own messages, so it is read once the views hold them.
  await deps.ownWrites.seen(userId, ['unread']);
  const read = await deps.views.unread.readStates(
    userId,
    markers.map(({ channel_id }) => channel_id),
  );
  return markers.flatMap(({ channel_id: channelId }, n) => {
    const ordinal = ordinals[n];
    return ordinal === undefined ? [] : [{ channelId, ordinal, known: read[n]?.readOrdinal ?? 0 }];
  });
};

/** What is read when a message is the last one: its own ordinal, or that of the one before it if there is no such message. */
const ordinalThrough = async (
  { timelines, views }: CommandDeps,
  userId: string,
  { channel_id, message_id }: t.TypeOf<typeof OnMessage>,
): Promise<number> => {
  const message = await timelines.message(channel_id, message_id, userId);
  if (message !== undefined) return message.ordinal;
  const [before] = await views.timelines.page(channel_id, { before: message_id, limit: 1 }, userId);
  return before?.ordinal ?? 0;
};

/** Back to a place, or forwards. */
interface Marking {
  readonly back: Parameters<typeof markUnread>[0] | undefined;
  readonly marks: readonly Mark[];
}

export const markChannelRead = command({
  type: 'channel.read',
  summary:
    'You have read everything up to this message. With `manual` it may be less than before: what follows is unread again.',
  route: {
    method: 'POST',
    path: '/channels/:channel_id/messages/:message_id/ack',
    status: 200,
    answers: '{token: null}',
    answer: Acknowledged,
  },
  params: OnMessage,
  body: t.partial({
    manual: optional(t.boolean),
    /** What clients have counted; it is counted here. */
    mention_count: optional(integer(0, 2 ** 31 - 1)),
    token: optional(t.null),
    last_viewed: optional(integer(0, 2 ** 31 - 1)),
    flags: optional(integer(0, 2 ** 31 - 1)),
  }),
  structural: false,
  stream: (_, { userId }) => readStream(userId),
  rights: async ({ fields, context }, deps) =>
    (await deps.access.channel(context.actor.userId, fields.channel_id)) === undefined
      ? refused('unknownChannel')
      : either.right(undefined),
  prepare: async ({ fields, context }, deps): Promise<Result<Marking>> => {
    const { userId } = context.actor;
    if (fields.manual === true) {
      const { channel_id: channelId } = fields;
      // What the person has just said there is unread too.
      await deps.ownWrites.seen(userId, ['unread']);
      const last = (await deps.views.unread.head(channelId)).ordinal;
      const ordinal = Math.min(last, await ordinalThrough(deps, userId, fields));
      return either.right({ back: { userId, channelId, ordinal, last }, marks: [] });
    }
    const marks = await marksOf(deps, userId, [fields]);
    return either.right({ back: undefined, marks });
  },
  decide: (state: ReadState, { prepared: { back, marks } }, { context }) => {
    if (back !== undefined) return markUnread(back, state);
    return marks.length === 0 ? refused('unknownMessage') : markRead(context.actor.userId, marks, state);
  },
  answer: async () => either.right({ kind: 'marked' }),
});

export const markChannelsRead = command({
  type: 'channel.read-many',
  summary:
    'You have read up to these messages of several channels. Channels and messages unknown to you are passed over.',
  route: { method: 'POST', path: '/read-states/ack-bulk', status: 204, answers: 'Nothing.' },
  body: t.type({
    read_states: list(t.intersection([OnMessage, t.partial({ read_state_type: optional(t.literal(0)) })]), MOST),
  }),
  structural: false,
  stream: (_, { userId }) => readStream(userId),
  rights: async ({ fields, context }, deps) => {
    const channels = [...new Set(fields.read_states.map(({ channel_id }) => channel_id))];
    const seen = await inParallel(channels, TOGETHER, (id) => deps.access.channel(context.actor.userId, id));
    return either.right(new Set(channels.filter((_, n) => seen[n] !== undefined)));
  },
  prepare: async ({ fields, context }, deps) =>
    either.right(await marksOf(deps, context.actor.userId, fields.read_states)),
  decide: (state: ReadState, { rights, prepared }, { context }) => {
    const marks = prepared.filter(({ channelId }) => rights.has(channelId));
    return markRead(context.actor.userId, marks, state);
  },
});
