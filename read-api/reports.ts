/** Reports: of a guild for its moderators, of the server for its administrators, and one's own. */

import * as t from 'io-ts';
import { administers, moderates, moderatesGuild } from '../projections/views/guild-views/access.ts';
import type { ReportRow, ReportsOf } from '../projections/views/reports/view.ts';
import { SnowflakeBound, wordOf } from '../schemas/codecs.ts';
import { OnGuild, type Route } from '../schemas/http/route.ts';
import { OwnReport, Report } from '../schemas/http/shapes.ts';
import { type Answer, found, limitOf, type ReadDeps, readRoute, refused } from './read-route.ts';

const MOST = 100;
const USUAL = 50;
/** Pages of the view that one request looks through for reports that the asker may see. */
const PAGES = 20;

const Query = t.partial({
  state: wordOf('open', 'answered', 'closed'),
  before: SnowflakeBound,
  limit: limitOf(MOST),
});
type Query = t.TypeOf<typeof Query>;

/** The newest of the reports that the asker may see. */
const pageOf = async (
  deps: Pick<ReadDeps, 'views'>,
  of: ReportsOf,
  { state, before, limit = USUAL }: Query,
  isTheirs: (row: ReportRow) => Promise<boolean>,
): Promise<readonly ReportRow[]> => {
  const seen: ReportRow[] = [];
  let last = before;
  for (let pages = 0; pages < PAGES && seen.length < limit; pages += 1) {
    // However few are asked for: many of others may come before the first that is the asker's.
    const query = { limit: MOST, ...(state && { state }), ...(last && { before: last }) };
    const rows = await deps.views.reports.reports(of, query);
    const visible = await Promise.all(rows.map(isTheirs));
    seen.push(...rows.filter((_, n) => visible[n]));
    if (rows.length < MOST) break;
    last = rows.at(-1)!.id;
  }
  return seen.slice(0, limit);
};

const answers =
  'a list of reports, the newest first; `before`: the id that the page ends ahead of; `state`: open, answered or closed';

export const reportRoutes = (deps: ReadDeps): Route[] => {
  const sources = () => ({ access: deps.access, guilds: deps.views.guilds });
  const handlers = async (rows: readonly ReportRow[]): Promise<Answer> => found(await deps.presenter.reports(rows));
  return [
    readRoute(deps, {
      path: '/guilds/:guild_id/reports',
      reads: ['guild-views', 'timelines'],
      summary: 'Reports of messages in a guild, for those who manage messages: of the channels in which they do',
      params: OnGuild,
      query: Query,
      ours: true,
      answers,
      answer: t.readonlyArray(Report),
      handle: async ({ actor: { userId }, params: { guild_id: guildId }, query }) => {
        const isModerator = await moderatesGuild(deps, userId, guildId);
        if (isModerator === undefined) return refused('unknownGuild');
        if (!isModerator) return refused('missingPermissions');
        return handlers(await pageOf(deps, { guildId }, query, (row) => moderates(sources(), userId, row)));
      },
    }),
    readRoute(deps, {
      path: '/reports',
      reads: ['guild-views', 'timelines'],
      summary: 'Reports of direct messages, and of guilds that have chosen no channel for them, for administrators',
      query: Query,
      ours: true,
      answers,
      answer: t.readonlyArray(Report),
      handle: async ({ actor: { userId }, query }) => {
        if (!(await deps.views.guilds.administrators()).includes(userId)) return refused('onlyAdministrator');
        const of = { administrators: true } as const;
        return handlers(await pageOf(deps, of, query, (row) => administers(sources(), userId, row)));
      },
    }),
    readRoute(deps, {
      path: '/users/@me/reports',
      summary: 'What the asker has reported, and what came of it',
      query: Query,
      ours: true,
      answers,
      answer: t.readonlyArray(OwnReport),
      handle: async ({ actor: { userId }, query }) =>
        found(await deps.presenter.ownReports(await pageOf(deps, { reporter: userId }, query, async () => true))),
    }),
  ];
};
