/** Channels and their messages. A channel that the asker may not view does not exist for them. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { allows, Permission } from '../domain/permissions.ts';
import type { ApiMessage } from '../presenter/shapes.ts';
import { wireTime } from '../presenter/time.ts';
import type { PageQuery } from '../projections/views/timelines/view.ts';
import { IsoTime, integerText, Snowflake, SnowflakeBound } from '../schemas/codecs.ts';
import { Emoji } from '../schemas/emoji.ts';
import { fieldError, type ParleyError, parleyError } from '../schemas/errors.ts';
import { OnChannel, OnMessage, type Route } from '../schemas/http/route.ts';
import { Channel, Message, PinPage, User } from '../schemas/http/shapes.ts';
import { editHistoryRoute } from './edit-history.ts';
import { type Answer, found, limitOf, presentChannels, type ReadDeps, readRoute, refused } from './read-route.ts';
import { type Place, pageAfter, pageBefore } from './sequences.ts';

/** Most messages of one page. */
export const MESSAGES_PER_PAGE = 100;

/** The requested page of a channel's history. */
const Sequence = integerText(0, Number.MAX_SAFE_INTEGER);

const MessagePageQuery = t.partial({
  around: SnowflakeBound,
  before: SnowflakeBound,
  after: SnowflakeBound,
  before_sequence: Sequence,
  after_sequence: Sequence,
  limit: limitOf(MESSAGES_PER_PAGE),
});
type MessagePageQuery = {
  readonly [K in keyof t.TypeOf<typeof MessagePageQuery>]: t.TypeOf<typeof MessagePageQuery>[K] | undefined;
};

/** The same in short, on a path of our own. */
const HistoryQuery = t.partial({
  around_id: SnowflakeBound,
  before_id: SnowflakeBound,
  after_id: SnowflakeBound,
  before_sequence: Sequence,
  after_sequence: Sequence,
  limit: limitOf(MESSAGES_PER_PAGE),
});

const ANCHORS = Object.keys(MessagePageQuery.props).filter((name) => name !== 'limit');
const SHORT_ANCHORS = Object.keys(HistoryQuery.props).filter((name) => name !== 'limit');

/** @returns error 50035 when two anchors were given */
const secondAnchor = (query: object, anchors: readonly string[]): ParleyError | undefined => {
  const [first, second] = anchors.filter((anchor) => query[anchor as keyof typeof query] !== undefined);
  return second === undefined
    ? undefined
    : fieldError([second], 'MUTUALLY_EXCLUSIVE', `Cannot be combined with ${first}.`);
};

/** Translates the request into a page of the timeline. Sequences become the ids of the messages next to them. */
const pageQueryOf = async (
  deps: ReadDeps,
  place: Pick<Place, 'channelId' | 'viewer'>,
  query: MessagePageQuery,
): Promise<PageQuery> => {
  const { around, before, after, before_sequence, after_sequence, limit = 50 } = query;
  if (around !== undefined) return { around, limit };
  if (before !== undefined) return { before, limit };
  if (after !== undefined) return { after, limit };
  const looked = { log: deps.log, timelines: deps.views.timelines };
  if (before_sequence !== undefined) return pageBefore(looked, { ...place, sequence: before_sequence }, limit);
  if (after_sequence !== undefined) return pageAfter(looked, { ...place, sequence: after_sequence }, limit);
  return { limit };
};

const Reaction = t.type({ channel_id: Snowflake, message_id: Snowflake, emoji: Emoji });

/** Maximum pins per page. The older path has no pages and returns at most this many. */
const PINS = 50;

const mayReadHistory = (permissions: bigint): boolean => allows(permissions, Permission.readMessageHistory);

/** A page of history, for whoever may view the channel. */
const historyOf = async (
  deps: ReadDeps,
  { channelId, viewer }: Pick<Place, 'channelId' | 'viewer'>,
  query: MessagePageQuery,
): Promise<Answer> => {
  const access = await deps.access.channel(viewer, channelId);
  if (access === undefined) return refused('unknownChannel');
  if (!mayReadHistory(access.permissions)) return found([]);
  const page = await pageQueryOf(deps, { channelId, viewer }, query);
  const rows = await deps.views.timelines.page(channelId, page, viewer);
  return found(await deps.presenter.messages(rows));
};

interface PinsShown {
  readonly shown: readonly { readonly pinnedTime: number; readonly message: ApiMessage }[];
  /** Whether others were pinned before, also where one of the page is not shown any more. */
  readonly hasMore: boolean;
}

/** An asker who may not read the message history gets an empty list. */
const pinsOf = async (
  deps: ReadDeps,
  userId: string,
  channelId: string,
  { before, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<Either<ParleyError, PinsShown>> => {
  const access = await deps.access.channel(userId, channelId);
  if (access === undefined) return either.left(parleyError('unknownChannel'));
  if (!mayReadHistory(access.permissions)) return either.right({ shown: [], hasMore: false });
  const range = before === undefined ? {} : { before };
  const all = await deps.views.pins.pinned(channelId, { ...range, limit: limit + 1 });
  const pins = all.slice(0, limit);
  const ids = pins.map(({ messageId }) => messageId);
  const rows = await deps.views.timelines.messages(channelId, ids, userId);
  const messages = new Map((await deps.presenter.messages(rows)).map((message) => [message.id, message]));
  const shown = pins.flatMap(({ messageId, pinnedTime }) => {
    const message = messages.get(messageId);
    return message === undefined ? [] : [{ pinnedTime, message }];
  });
  return either.right({ shown, hasMore: all.length > limit });
};

export const channelRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/channels/:channel_id',
    reads: ['guild-views', 'unread'],
    summary: 'A channel',
    params: OnChannel,
    answers: 'a channel',
    answer: Channel,
    handle: async ({ actor, params }) => {
      const access = await deps.access.channel(actor.userId, params.channel_id);
      if (access === undefined) return refused('unknownChannel');
      const [shown] = await presentChannels(deps, [access.channel], actor.userId);
      return found(shown);
    },
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/messages',
    reads: ['guild-views', 'timelines'],
    summary: 'History of a channel',
    params: OnChannel,
    query: MessagePageQuery,
    answers: 'a list of messages, newest first; the one that was named is not among them (`around` excepted)',
    answer: t.readonlyArray(Message),
    handle: async ({ actor, params, query }) => {
      const refusal = secondAnchor(query, ANCHORS);
      if (refusal !== undefined) return either.left(refusal);
      return historyOf(deps, { channelId: params.channel_id, viewer: actor.userId }, query);
    },
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/history',
    reads: ['guild-views', 'timelines'],
    summary: 'History of a channel: the short form of its messages',
    params: OnChannel,
    query: HistoryQuery,
    ours: true,
    answers: 'a list of messages, newest first; the one that was named is not among them (`around_id` excepted)',
    answer: t.readonlyArray(Message),
    handle: async ({ actor, params, query }) => {
      const refusal = secondAnchor(query, SHORT_ANCHORS);
      if (refusal !== undefined) return either.left(refusal);
      const { around_id: around, before_id: before, after_id: after, ...rest } = query;
      return historyOf(
        deps,
        { channelId: params.channel_id, viewer: actor.userId },
        { ...rest, around, before, after },
      );
    },
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/messages/pins',
    reads: ['guild-views', 'timelines'],
    summary: 'Pinned messages of a channel',
    params: OnChannel,
    query: t.partial({ before: IsoTime, limit: limitOf(PINS) }),
    answers: '{items: [{pinned_at, message}], has_more}, the last pinned first; before: an ISO time of pinning',
    answer: PinPage,
    handle: async ({ actor, params, query: { before, limit = PINS } }) => {
      const pins = await pinsOf(deps, actor.userId, params.channel_id, { before, limit });
      if (either.isLeft(pins)) return pins;
      const { shown, hasMore } = pins.right;
      return found({
        items: shown.map(({ pinnedTime, message }) => ({ pinned_at: wireTime(pinnedTime), message })),
        has_more: hasMore,
      });
    },
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/pins',
    reads: ['guild-views', 'timelines'],
    summary: `The last ${PINS} pinned messages of a channel, as older libraries ask for them`,
    params: OnChannel,
    answers: 'a list of messages, the last pinned first',
    answer: t.readonlyArray(Message),
    handle: async ({ actor, params }) => {
      const pins = await pinsOf(deps, actor.userId, params.channel_id, { limit: PINS });
      return either.isLeft(pins) ? pins : found(pins.right.shown.map(({ message }) => message));
    },
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/messages/:message_id',
    reads: ['guild-views', 'timelines'],
    summary: 'A message',
    params: OnMessage,
    answers: 'a message',
    answer: Message,
    handle: async ({ actor, params }) => {
      const access = await deps.access.channel(actor.userId, params.channel_id);
      if (access === undefined) return refused('unknownChannel');
      if (!mayReadHistory(access.permissions)) return refused('missingPermissions');
      const row = await deps.views.timelines.message(params.channel_id, params.message_id, actor.userId);
      if (row === undefined || row.deleted) return refused('unknownMessage');
      return found((await deps.presenter.messages([row]))[0]);
    },
  }),
  editHistoryRoute(deps),
  readRoute(deps, {
    path: '/channels/:channel_id/messages/:message_id/reactions/:emoji',
    reads: ['guild-views', 'timelines'],
    summary: 'Who reacted to a message with an emoji',
    params: Reaction,
    query: t.partial({ limit: limitOf(100), after: SnowflakeBound, type: integerText(0, 1) }),
    answers: 'a list of users, by id; none with `type` 1, of bursts, which nobody makes here',
    answer: t.readonlyArray(User),
    handle: async ({ actor, params, query: { limit = 25, after, type = 0 } }) => {
      const access = await deps.access.channel(actor.userId, params.channel_id);
      if (access === undefined) return refused('unknownChannel');
      if (!mayReadHistory(access.permissions)) return refused('missingPermissions');
      const row = await deps.views.timelines.message(params.channel_id, params.message_id, actor.userId);
      if (row === undefined || row.deleted) return refused('unknownMessage');
      if (type !== 0) return found([]);
      const ids = await deps.views.timelines.reactors(params.channel_id, params.message_id, params.emoji, {
        limit,
        ...(after === undefined ? {} : { after }),
      });
      const users = await deps.presenter.users(ids);
      return found(ids.map((id) => users.get(id)));
    },
  }),
];
