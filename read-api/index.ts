/** HTTP queries over the read models. */

import { type Route, route } from '../schemas/http/route.ts';
import { channelRoutes } from './channels.ts';
import { guildRoutes, inviteRoutes } from './guilds.ts';
import { found, type ReadDeps, readRoute } from './read-route.ts';
import { applicationRoutes, userRoutes } from './users.ts';

// Where the socket is.

/** Session starts are not limited. Libraries refuse to start without these numbers. */
const SESSION_START_LIMIT = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 16 };

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
    handle: async (request) =>
      found({ url: deps.gatewayUrl(request), shards: 1, session_start_limit: SESSION_START_LIMIT }),
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
