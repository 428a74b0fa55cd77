/** HTTP queries over the read models. */

import type { LimitShown } from '../schemas/errors.ts';
import { OnGuild, type Route, route } from '../schemas/http/route.ts';
import { Gateway, GatewayForBots, NoneOfThem } from '../schemas/http/shapes.ts';
import { auditLogRoutes } from './audit-log.ts';
import { channelRoutes } from './channels.ts';
import { discoveryRoutes, emptyListRoutes, guildRoutes, inviteListRoutes, inviteRoutes } from './guilds.ts';
import { memberRoutes } from './members.ts';
import { found, type ReadDeps, readRoute, refused } from './read-route.ts';
import { reportRoutes } from './reports.ts';
import { threadRoutes } from './threads.ts';
import { applicationRoutes, userRoutes } from './users.ts';

// Where the socket is.

/** Libraries refuse to start without these numbers, so they are there even where nothing is limited. */
const UNLIMITED: Pick<LimitShown, 'limit' | 'remaining' | 'resetAfter'> = {
  limit: 1000,
  remaining: 1000,
  resetAfter: 0,
};
/** @returns Discord's form; `reset_after` in milliseconds */
const sessionStartLimit = async (deps: ReadDeps, userId: string) => {
  const { limit, remaining, resetAfter } = (await deps.identifiesLeft(userId)) ?? UNLIMITED;
  return { total: limit, remaining, reset_after: Math.ceil(resetAfter * 1000), max_concurrency: deps.maxConcurrency };
};

const gatewayRoutes = (deps: ReadDeps): Route[] => [
  route({
    method: 'GET',
    path: '/gateway',
    summary: 'Where the socket is',
    access: 'public',
    answers: '`{url}`',
    answer: Gateway,
    handle: async (request) => found({ url: deps.gatewayUrl(request) }),
  }),
  readRoute(deps, {
    path: '/gateway/bot',
    summary: 'Where the socket is, and how many sessions may start',
    answers: '`{url, shards, session_start_limit}`',
    answer: GatewayForBots,
    handle: async (request) => {
      const limit = await sessionStartLimit(deps, request.actor.userId);
      return found({ url: deps.gatewayUrl(request), shards: 1, session_start_limit: limit });
    },
  }),
];

/** There are no voice channels. Libraries ask for their regions before they connect. */
const regionRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/voice/regions',
    summary: 'Regions of voice channels',
    answers: 'an empty list',
    answer: NoneOfThem,
    handle: async () => found([]),
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/regions',
    summary: 'Regions of the voice channels of a guild',
    params: OnGuild,
    answers: 'an empty list',
    answer: NoneOfThem,
    handle: async ({ actor, params }) =>
      (await deps.access.guild(actor.userId, params.guild_id)) === undefined ? refused('unknownGuild') : found([]),
  }),
];

export const readRoutes = (deps: ReadDeps): Route[] => [
  ...gatewayRoutes(deps),
  ...regionRoutes(deps),
  ...userRoutes(deps),
  ...guildRoutes(deps),
  ...inviteListRoutes(deps),
  ...discoveryRoutes(deps),
  ...emptyListRoutes(deps),
  ...memberRoutes(deps),
  ...auditLogRoutes(deps),
  ...channelRoutes(deps),
  ...threadRoutes(deps),
  ...inviteRoutes(deps),
  ...reportRoutes(deps),
  ...applicationRoutes(deps),
];
