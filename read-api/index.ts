/** HTTP queries over the read models. */
import type { Route } from '../schemas/http/route.ts';
import type { ReadDeps } from './deps.ts';
import { applicationRoutes } from './routes/applications.ts';
import { channelRoutes } from './routes/channels.ts';
import { gatewayRoutes } from './routes/gateway.ts';
import { guildRoutes } from './routes/guilds.ts';
import { inviteRoutes } from './routes/invites.ts';
import { userRoutes } from './routes/users.ts';

export type { ReadDeps } from './deps.ts';
export * from './replay/index.ts';

export const readRoutes = (deps: ReadDeps): Route[] => [
  ...gatewayRoutes(deps),
  ...userRoutes(deps),
  ...guildRoutes(deps),
  ...channelRoutes(deps),
  ...inviteRoutes(deps),
  ...applicationRoutes(deps),
];
