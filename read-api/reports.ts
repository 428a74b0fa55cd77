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

const Query = t.partial({
  state: wordOf('open', 'answered', 'closed'),
  before: SnowflakeBound,
  after: SnowflakeBound,
  limit: limitOf(MOST),
});
type Query = t.TypeOf<typeof Query>;

const queryOf = ({ state, before, after }: Query) => ({
  ...{ ...(state && { state }), ...(before && { before }), ...(after && { after }) },
});

/**
 * A page of the reports that the asker handles. Whether they do is the same for all of one channel, so the view leaves out
 * a channel from where the first of its reports was found not to be theirs.
 */
const pageOf = async (
  { views }: Pick<ReadDeps, 'views'>,
  of: ReportsOf,
  asked: Query & { readonly by: string },
  isTheirs: (row: ReportRow) => Promise<boolean>,
): Promise<readonly ReportRow[]> => {
  const { by: author, limit = USUAL } = asked;
  const theirs: ReportRow[] = [];
  const others = new Set<string>();
  let page: ReturnType<typeof queryOf> = queryOf(asked);
  const isForward = page.before === undefined && page.after !== undefined;
  for (;;) {
    const rows = await views.reports.reports(of, { ...page, limit: MOST, except: { author, channelIds: [...others] } });
    const verdicts = await Promise.all(rows.map(isTheirs));
    for (const [n, row] of rows.entries()) {
      if (verdicts[n]) theirs.push(row);
      else others.add(row.channelId);
    }
    if (rows.length < MOST || theirs.length >= limit) return theirs.slice(0, limit);
    const { id } = rows.at(-1)!;
    page = { ...page, ...(isForward ? { after: id } : { before: id }) };
  }
};

const answers =
  'a list of reports, the newest first (with `after`, the oldest first); `before`, `after`: the id beyond which the page begins; `state`: open, answered or closed';

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
        return handlers(
          await pageOf(deps, { guildId }, { ...query, by: userId }, (row) => moderates(sources(), userId, row)),
        );
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
        return handlers(await pageOf(deps, of, { ...query, by: userId }, (row) => administers(sources(), userId, row)));
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
        found(
          await deps.presenter.ownReports(
            await deps.views.reports.reports({ reporter: userId }, { ...queryOf(query), limit: query.limit ?? USUAL }),
          ),
        ),
    }),
  ];
};
