/** Applications: the bots' own cards. An application and its bot share one id. */
import * as t from 'io-ts';
import type { UserRow } from '../../projections/guild-views/port.ts';
import type { Route } from '../../schemas/http/route.ts';
import { Snowflake } from '../../schemas/primitives.ts';
import type { ReadDeps } from '../deps.ts';
import { type Answer, found, readRoute, refused } from './read-route.ts';

const present = async ({ presenter }: ReadDeps, row: UserRow) => {
  const bot = await presenter.user(row.id);
  return {
    id: row.id,
    name: bot.username,
    icon: null,
    description: '',
    summary: '',
    bot_public: true,
    bot_require_code_grant: false,
    flags: 0,
    verify_key: '',
    bot,
    owner: row.ownerId === null ? null : await presenter.user(row.ownerId),
    team: null,
  };
};

/** For the bot itself and for who made it; for others it does not exist. */
const application = async (deps: ReadDeps, id: string, asker: string): Promise<Answer> => {
  const row = await deps.views.guilds.user(id);
  if (row?.kind !== 'bot' || (row.id !== asker && row.ownerId !== asker)) return refused('unknownApplication');
  return found(await present(deps, row));
};

export const applicationRoutes = (deps: ReadDeps): Route[] => [
  ...['/oauth2/applications/@me', '/applications/@me'].map((path) =>
    readRoute(deps, {
      path,
      summary: 'The application of the bot that asks',
      answers: 'an application with its bot and its owner',
      handle: ({ actor }) => application(deps, actor.userId, actor.userId),
    }),
  ),
  readRoute(deps, {
    path: '/applications/:application_id',
    summary: 'An application, for its bot and its owner',
    params: t.type({ application_id: Snowflake }),
    answers: 'an application with its bot and its owner',
    handle: ({ actor, params }) => application(deps, params.application_id, actor.userId),
  }),
];
