/** HTTP queries over the read models. */

import type { LimitShown } from '../schemas/errors.ts';
import { type Route, route } from '../schemas/http/route.ts';
import { channelRoutes } from './channels.ts';
import { guildRoutes, inviteRoutes } from './guilds.ts';
import { found, type ReadDeps, readRoute } from './read-route.ts';
import { applicationRoutes, userRoutes } from './users.ts';

// Where the socket is.

/** Libraries refuse to start without these numbers, so they are there even where nothing is limited. */
const UNLIMITED: Pick<LimitShown, 'limit' | 'remaining' | 'resetAfter'> = {
  limit: 1000,
  remaining: 1000,
  resetAfter: 0,
};
/** How many sessions a library may begin in five seconds. More are not refused. */
const MAX_CONCURRENCY = 16;

/** @returns Discord's form; `reset_after` in milliseconds */
const sessionStartLimit = async (deps: ReadDeps, userId: string) => {
  const { limit, remaining, resetAfter } = (await deps.identifiesLeft(userId)) ?? UNLIMITED;
  return { total: limit, remaining, reset_after: Math.ceil(resetAfter * 1000), max_concurrency: MAX_CONCURRENCY };
};

const gatewayRoutes = (deps: ReadDeps): Route[] => [
  route({
    method: 'GET',
    path: '/gateway',
    summary: 'Where the socket is',
    access: 'public',
    answers: '`{url}`',
    handle: async (request) => found({ url: deps.gatewayUrl(request) }),
  }),
  readRoute(deps, {
    path: '/gateway/bot',
    summary: 'Where the socket is, and how many sessions may start',
    answers: '`{url, shards, session_start_limit}`',
    handle: async (request) => {
      const limit = await sessionStartLimit(deps, request.actor.userId);
      return found({ url: deps.gatewayUrl(request), shards: 1, session_start_limit: limit });
    },
  }),
];

export const readRoutes = (deps: ReadDeps): Route[] => [
  ...gatewayRoutes(deps),
  ...userRoutes(deps),
  ...guildRoutes(deps),
  ...channelRoutes(deps),
  ...inviteRoutes(deps),
  ...applicationRoutes(deps),
];
