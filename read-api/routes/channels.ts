/** Channels and what was said in them. A channel the asker may not view does not exist. */
import { either } from 'fp-ts';
import * as t from 'io-ts';
import { allows, Permission } from '../../domain/permissions.ts';
import type { Route } from '../../schemas/http/route.ts';
import { Snowflake, text } from '../../schemas/primitives.ts';
import type { ReadDeps } from '../deps.ts';
import { MessagePageQuery, pageQueryOf } from './message-page.ts';
import { found, limitOf, readRoute, refused } from './read-route.ts';

const Channel = t.type({ channel_id: Snowflake });
const Message = t.type({ channel_id: Snowflake, message_id: Snowflake });
const Reaction = t.type({ channel_id: Snowflake, message_id: Snowflake, emoji: text(1, 64, 'emoji') });

const mayReadHistory = (permissions: bigint): boolean => allows(permissions, Permission.readMessageHistory);

export const channelRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/channels/:channel_id',
    reads: ['guild-views', 'unread'],
    summary: 'A channel',
    params: Channel,
    answers: 'a channel',
    handle: async ({ actor, params }) => {
      const access = await deps.access.channel(actor.userId, params.channel_id);
      if (access === undefined) return refused('unknownChannel');
      const head = await deps.views.unread.head(params.channel_id);
      return found(await deps.presenter.channel(access.channel, actor.userId, head));
    },
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/messages',
    reads: ['guild-views', 'timelines'],
    summary: 'History of a channel',
    params: Channel,
    query: MessagePageQuery,
    answers: 'a list of messages, newest first; the one that was named is not among them (`around` excepted)',
    handle: async ({ actor, params, query }) => {
      const access = await deps.access.channel(actor.userId, params.channel_id);
      if (access === undefined) return refused('unknownChannel');
      const page = await pageQueryOf(deps.log, params.channel_id, query);
      if (either.isLeft(page)) return page;
      if (!mayReadHistory(access.permissions)) return found([]);
      const rows = await deps.views.timelines.page(params.channel_id, page.right, actor.userId);
      return found(await deps.presenter.messages(rows));
    },
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/messages/:message_id',
    reads: ['guild-views', 'timelines'],
    summary: 'A message',
    params: Message,
    answers: 'a message',
    handle: async ({ actor, params }) => {
      const access = await deps.access.channel(actor.userId, params.channel_id);
      if (access === undefined) return refused('unknownChannel');
      if (!mayReadHistory(access.permissions)) return refused('missingPermissions');
      const row = await deps.views.timelines.message(params.channel_id, params.message_id, actor.userId);
      if (row === undefined || row.deleted) return refused('unknownMessage');
      return found((await deps.presenter.messages([row]))[0]);
    },
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/messages/:message_id/reactions/:emoji',
    reads: ['guild-views', 'timelines'],
    summary: 'Who reacted to a message with an emoji',
    params: Reaction,
    query: t.partial({ limit: limitOf(100), after: Snowflake }),
    answers: 'a list of users',
    handle: async ({ actor, params, query: { limit = 25, after } }) => {
      const access = await deps.access.channel(actor.userId, params.channel_id);
      if (access === undefined) return refused('unknownChannel');
      if (!mayReadHistory(access.permissions)) return refused('missingPermissions');
      const row = await deps.views.timelines.message(params.channel_id, params.message_id, actor.userId);
      if (row === undefined || row.deleted) return refused('unknownMessage');
      const ids = await deps.views.timelines.reactors(params.channel_id, params.message_id, params.emoji, {
        limit,
        ...(after === undefined ? {} : { after }),
      });
      const users = await deps.presenter.users(ids);
      return found(ids.map((id) => users.get(id)));
    },
  }),
];
