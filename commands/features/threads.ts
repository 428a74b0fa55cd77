/** Threads: creating them, and who is in them. Changing and deleting one are commands on its channel. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { ChannelActor, ChannelState } from '../../domain/channel.ts';
import type { Decision } from '../../domain/decider.ts';
import * as threads from '../../domain/thread.ts';
import { actorIn, mayView, withParent } from '../../projections/views/guild-views/access.ts';
import { type ChannelRow, rowOfThread } from '../../projections/views/guild-views/view.ts';
import { optional, Snowflake, visibleText } from '../../schemas/codecs.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import { OnChannel, OnMessage } from '../../schemas/http/route.ts';
import { Channel } from '../../schemas/http/shapes.ts';
import { channelStream } from '../../schemas/streams.ts';
import { type Asked, type CommandDeps, command, creating, type Result, refused, type Stored } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import type { Answer } from '../port.ts';
import type { Step } from '../processes.ts';
import { actorInChannel } from './messages.ts';
import { AUTO_ARCHIVE, AutoArchive, hasAllThreads } from './thread-fields.ts';

const ThreadName = visibleText(1, 100, 'name');

const notThere = { rate_limit_per_user: [0], applied_tags: [], message: [], flags: [0] };

const begun = {
  auto_archive_duration: optional(AutoArchive),
};

/** The caller's rights in the channel that is to have the thread. */
const rightsToBegin = async (
  { fields, context }: Asked<{ readonly channel_id: string }>,
  { views: { guilds }, now }: CommandDeps,
): Promise<Result<ChannelActor & { readonly parent: ChannelRow; readonly parentKind: ChannelRow['kind'] }>> => {
  const [actor, row] = await Promise.all([
    actorIn(guilds, context.actor.userId, fields.channel_id, now()),
    guilds.channel(fields.channel_id),
  ]);
  if (actor === undefined || row === undefined) return refused('unknownChannel');
  return either.right({ ...actor, parent: await withParent(guilds, row), parentKind: row.kind });
};

/** A message gets its flag; a thread that begins at none is named by a message in its parent. */
const inParent = ({ data }: EventOf<'thread-created'>): readonly Step[] => {
  const { channelId, parentId, isPrivate, startedAt, details, creator } = data;
  const stream = channelStream(parentId);
  if (startedAt !== null)
    return [
      {
        stream,
        about: { messageId: channelId },
        decide:
          (_, { message }) =>
          (state: ChannelState) =>
            threads.flagAsThreaded(message, state),
      },
    ];
  if (isPrivate) return [];
  const said = { threadId: channelId, name: details.name, author: creator.userId };
  return [
    {
      stream,
      decide:
        (key, { now, low }) =>
        (state: ChannelState) =>
          threads.announceThread({ ...said, key, now, low }, state),
    },
  ];
};

const answer = async (
  { event }: Pick<Stored<unknown, unknown>, 'event'>,
  { context }: Asked<unknown>,
  deps: CommandDeps,
): Promise<Result<Answer>> => {
  if (event?.type !== 'thread-created') return refused('keyReused');
  const { channelId, firstMessageId } = event.data;
  const row = (await deps.views.guilds.channel(channelId)) ?? rowOfThread(event.data, event);
  if (row.isDeleted === true) return refused('unknownChannel');
  const head =
    firstMessageId === null
      ? undefined
      : { channelId, messageId: firstMessageId, ordinal: 1, sequence: event.sequence + 1, position: event.position };
  return either.right({
    kind: 'channel',
    channel: row,
    viewer: context.actor.userId,
    ...(head === undefined ? {} : { head }),
  });
};

const LIMIT = { bucket: 'threadCreate', key: (_: unknown, { userId }: { readonly userId: string }) => userId } as const;

export const beginThread = command({
  type: 'thread.begin',
  summary: 'Begin a thread at a message.',
  route: {
    method: 'POST',
    path: '/channels/:channel_id/messages/:message_id/threads',
    status: 201,
    answers: 'The thread, whose id is that of the message.',
    answer: Channel,
  },
  params: OnMessage,
  body: t.intersection([t.type({ name: ThreadName }), t.partial(begun)]),
  structural: true,
  check: refuseNotThere(notThere),
  limit: LIMIT,
  stream: ({ message_id }) => channelStream(message_id),
  rights: rightsToBegin,
  prepare: async ({ fields: { channel_id, message_id } }, deps) => {
    const message = await deps.timelines.message(channel_id, message_id, '');
    const isFull = await hasAllThreads(await deps.views.guilds.channel(channel_id), deps);
    return either.right({ at: { message: message && { ...message, messageId: message.id } }, isFull });
  },
  decide: (state: ChannelState, { rights, prepared }, { fields, cause }, deps) =>
    threads.createThread(
      {
        ...rights,
        ...prepared,
        ...{ key: cause.key, channelId: fields.message_id, parentId: fields.channel_id, isPrivate: false },
        details: { name: fields.name, invitable: true, autoArchive: fields.auto_archive_duration ?? AUTO_ARCHIVE },
        ...{ now: deps.now(), low: deps.lowBits() },
      },
      state,
    ),
  follow: { 'thread-created': inParent },
  waitsFor: 'processes',
  answer,
});

const PUBLIC = 11;
const PRIVATE = 12;

export const createThread = command({
  type: 'thread.create',
  summary: 'Create a thread that begins at no message: private, unless `type` is 11.',
  route: {
    method: 'POST',
    path: '/channels/:channel_id/threads',
    status: 201,
    answers: 'The thread.',
    answer: Channel,
  },
  params: OnChannel,
  body: t.intersection([
    t.type({ name: ThreadName }),
    t.partial({
      ...begun,
      type: optional(t.union([t.literal(PUBLIC), t.literal(PRIVATE)])),
      invitable: optional(t.boolean),
    }),
  ]),
  structural: true,
  check: refuseNotThere(notThere),
  limit: LIMIT,
  rights: rightsToBegin,
  prepare: async ({ fields, context, cause }, deps) => {
    const named = await deps.names.id(creating(context, cause));
    if (either.isLeft(named)) return named;
    const isFull = await hasAllThreads(await deps.views.guilds.channel(fields.channel_id), deps);
    return either.right({ channelId: named.right, isFull });
  },
  preparedStream: ({ channelId }) => channelStream(channelId),
  decide: (state: ChannelState, { rights, prepared }, { fields, cause }, deps) =>
    threads.createThread(
      {
        ...rights,
        ...prepared,
        ...{ key: cause.key, parentId: fields.channel_id, isPrivate: (fields.type ?? PRIVATE) === PRIVATE },
        details: {
          name: fields.name,
          invitable: fields.invitable ?? true,
          autoArchive: fields.auto_archive_duration ?? AUTO_ARCHIVE,
        },
        ...{ now: deps.now(), low: deps.lowBits() },
      },
      state,
    ),
  waitsFor: 'processes',
  answer,
});

// Who is in a thread.

const OnMember = t.type({ channel_id: Snowflake, user_id: Snowflake });

/** A member of the guild who may see the channel that the thread is in. */
const targetIn = async ({ guild, parent }: ChannelActor, userId: string, { views }: CommandDeps) => {
  const member = guild && (await views.guilds.member(guild.id, userId));
  const row = await views.guilds.guild(guild?.id ?? '0');
  const sees = member !== undefined && row !== undefined && parent !== undefined;
  return sees && mayView(row, parent as ChannelRow, member) ? member : undefined;
};

type Target = { readonly userId: string; readonly member: Awaited<ReturnType<typeof targetIn>> };

type OfThread = Asked<{ readonly channel_id: string }>;

/** The command's path, its fields, and whom it is about. What a command does not name is not decoded. */
interface Whom<P extends t.Mixed> {
  readonly who: string;
  readonly params: P;
  readonly userIdOf: (asked: OfThread & Asked<t.TypeOf<P>>) => string;
}

const SELF: Whom<typeof OnChannel> = { who: '@me', params: OnChannel, userIdOf: ({ context }) => context.actor.userId };
const OTHER: Whom<typeof OnMember> = { who: ':user_id', params: OnMember, userIdOf: ({ fields }) => fields.user_id };

const rightsTo = async (asked: OfThread, userId: string, deps: CommandDeps) => {
  const actor = await actorInChannel(asked, deps);
  if (either.isLeft(actor)) return actor;
  const target: Target = { userId, member: await targetIn(actor.right, userId, deps) };
  return either.right({ actor: actor.right, target }) satisfies Result<unknown>;
};

const membership = <const K extends string, P extends typeof OnChannel | typeof OnMember>(
  type: K,
  method: 'PUT' | 'DELETE',
  summary: string,
  { who, params, userIdOf }: Whom<P>,
  decide: (actor: ChannelActor & { key: string }, target: Target, state: ChannelState, deps: CommandDeps) => Decision,
) =>
  command({
    type,
    summary,
    route: { method, path: `/channels/:channel_id/thread-members/${who}`, status: 204, answers: 'Nothing.' },
    params,
    structural: true,
    limit: { bucket: 'threadMember', key: (_, { userId }) => userId },
    stream: ({ channel_id }: OfThread['fields']) => channelStream(channel_id),
    rights: (asked: OfThread & Asked<t.TypeOf<P>>, deps) => rightsTo(asked, userIdOf(asked), deps),
    decide: (state: ChannelState, { rights: { actor, target } }, { cause }, deps) =>
      decide({ ...actor, key: cause.key }, target, state, deps),
    waitsFor: 'views',
  });

const add = (
  actor: ChannelActor & { key: string },
  { userId: targetId, member: target }: Target,
  state: ChannelState,
  deps: CommandDeps,
): Decision => threads.addToThread({ ...actor, targetId, target, now: deps.now() }, state);

const remove = (actor: ChannelActor & { key: string }, { userId: targetId }: Target, state: ChannelState): Decision =>
  threads.removeFromThread({ ...actor, targetId }, state);

export const joinThread = membership('thread.join', 'PUT', 'Join a thread.', SELF, add);
export const leaveThread = membership('thread.leave', 'DELETE', 'Leave a thread.', SELF, remove);
export const addToThread = membership('thread.member.add', 'PUT', 'Add somebody to a thread.', OTHER, add);
export const removeFromThread = membership(
  'thread.member.remove',
  'DELETE',
  'Remove somebody from a thread.',
  OTHER,
  remove,
);
