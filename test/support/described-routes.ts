/** All routes of the API as values, without a server: what describes them needs none of their stores. */

import { apiRoutes, type Stores } from '../../app/edges.ts';
import { readConfig } from '../../app/environment.ts';
import { commands } from '../../commands/features/index.ts';
import { type OpenApi, openApi } from '../../http/openapi.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { Route } from '../../schemas/http/route.ts';

export const describedRoutes = (): readonly Route[] => {
  const config = readConfig({});
  if (config._tag === 'Left') throw new Error(config.left.join());
  const none = { identity: {}, accounts: {}, bus: { commands }, limits: {}, ownWrites: {} };
  const stores = { write: none, views: { progress: () => ({}) } } as unknown as Stores;
  return apiRoutes({ config: config.right, clock: systemClock }, stores);
};

export const describedApi = (): OpenApi => openApi(describedRoutes(), null);
