/** Reports: of a guild for its moderators, of the server for its administrators, and one's own. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { allows, channelPermissions, Permission } from '../domain/permissions.ts';
import { administers, moderates, moderatesGuild } from '../projections/views/guild-views/access.ts';
import type { ReportRow, ReportsOf } from '../projections/views/reports/view.ts';
import { SnowflakeBound, wordOf } from '../schemas/codecs.ts';
import { OnGuild, type Route } from '../schemas/http/route.ts';
import { OwnReport, Report } from '../schemas/http/shapes.ts';
import { type Answer, limitOf, type ReadDeps, readRoute, refused } from './read-route.ts';

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

/** How many reports one question to the view looks through, and how many questions one request asks at most. */
const LOOK = 1000;
const MOST_QUESTIONS = 5;

/** The header that says from which report to ask on, because there may be more. */
const NEXT = 'x-parley-next';

interface Page {
  readonly rows: readonly ReportRow[];
  readonly next: string | undefined;
}

const answered = (shown: unknown, { next }: Page): Answer =>
  either.right({ body: shown, ...(next === undefined ? {} : { headers: { [NEXT]: next } }) });

/**
 * A page of the reports that the asker handles. Whether they do is the same for all of one channel, so the view leaves out
 * a channel from where the first of its reports was found not to be theirs.
 * @param others channels that are known not to be theirs
 */
const pageOf = async (
  { views }: Pick<ReadDeps, 'views'>,
  of: ReportsOf,
  asked: Query & { readonly by: string },
  isTheirs: (row: ReportRow) => Promise<boolean>,
  others: Iterable<string> = [],
): Promise<Page> => {
  const { by: author, limit = USUAL } = asked;
  const theirs: ReportRow[] = [];
  const leftOut = new Set(others);
  let from: ReturnType<typeof queryOf> = queryOf(asked);
  const isForward = from.before === undefined && from.after !== undefined;
  for (let question = 1; ; question += 1) {
    const except = { author, channelIds: [...leftOut] };
    const { rows, next } = await views.reports.reports(of, { ...from, limit: MOST, look: LOOK, except });
    const verdicts = await Promise.all(rows.map(isTheirs));
    for (const [n, row] of rows.entries()) {
      if (verdicts[n]) theirs.push(row);
      else leftOut.add(row.channelId);
    }
    if (theirs.length >= limit) return { rows: theirs.slice(0, limit), next: theirs[limit - 1]!.id };
    if (next === undefined || question === MOST_QUESTIONS) return { rows: theirs, next };
    from = { ...from, ...(isForward ? { after: next } : { before: next }) };
  }
};

/** Channels of a guild in which somebody does not manage messages. Threads are not among them. */
const notModerated = async (
  { access, views }: Pick<ReadDeps, 'access' | 'views'>,
  userId: string,
  guildId: string,
): Promise<readonly string[]> => {
  const found = await access.guild(userId, guildId);
  if (found === undefined) return [];
  const { guild, member } = found;
  return (await views.guilds.channelsOf(guildId))
    .filter(
      (channel) =>
        channel.isDeleted !== true &&
        !allows(channelPermissions(channel, guild, userId, member), Permission.manageMessages),
    )
    .map(({ id }) => id);
};

const answers =
  'a list of reports, the newest first (with `after`, the oldest first); `before`, `after`: the id beyond which the page begins; `state`: open, answered or closed; with the header `X-Parley-Next` there may be more beyond the id that it holds';

export const reportRoutes = (deps: ReadDeps): Route[] => {
  const sources = () => ({ access: deps.access, guilds: deps.views.guilds });
  const handlers = async (page: Page): Promise<Answer> => answered(await deps.presenter.reports(page.rows), page);
  return [
    readRoute(deps, {
      path: '/guilds/:guild_id/reports',
      reads: ['guild-rows', 'timelines'],
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
        const asked = { ...query, by: userId };
        const others = await notModerated(deps, userId, guildId);
        return handlers(await pageOf(deps, { guildId }, asked, (row) => moderates(sources(), userId, row), others));
      },
    }),
    readRoute(deps, {
      path: '/reports',
      reads: ['guild-rows', 'timelines'],
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
      reads: ['guild-rows'],
      summary: 'What the asker has reported, and what came of it',
      query: Query,
      ours: true,
      answers,
      answer: t.readonlyArray(OwnReport),
      handle: async ({ actor: { userId }, query }) => {
        const asked = { ...queryOf(query), limit: query.limit ?? USUAL, look: LOOK };
        const page = await deps.views.reports.reports({ reporter: userId }, asked);
        return answered(await deps.presenter.ownReports(page.rows), page);
      },
    }),
  ];
};
