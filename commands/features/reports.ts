/** Reports: a person tells the moderators what is wrong with a message; they answer, and close the report. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { allows, Permission } from '../../domain/permissions.ts';
import * as report from '../../domain/report.ts';
import { administers, moderates, moderatesGuild } from '../../projections/views/guild-views/access.ts';
import { type ReportRow, rowOfFiled, withAnswer } from '../../projections/views/reports/view.ts';
import { anyText, optional, Snowflake, wordOf } from '../../schemas/codecs.ts';
import { REPORT_KINDS, REPORT_OUTCOMES } from '../../schemas/events/report.ts';
import { OnGuild, OnMessage } from '../../schemas/http/route.ts';
import { Report } from '../../schemas/http/shapes.ts';
import { reportStream } from '../../schemas/streams.ts';
import { openAs } from '../../vault/sealing.ts';
import { ACCEPTED, type Asked, type CommandDeps, command, type Result, refused, type Stored } from '../command.ts';
import type { Answer } from '../port.ts';

const TEXT_LENGTH = 512;

/** Whom a report is for where the guild has chosen no channel for it, and outside guilds. */
const administratorsFor = async (deps: CommandDeps, safetyChannelId: string | null): Promise<readonly string[]> => {
  const { guilds } = deps.views;
  const channel = safetyChannelId === null ? undefined : await guilds.channel(safetyChannelId);
  return channel === undefined || channel.isDeleted === true ? guilds.administrators() : [];
};

type Filing = Omit<Parameters<typeof report.fileReport>[0], 'text'>;

export const reportMessage = command({
  type: 'message.report',
  summary:
    "Report a message to the guild's moderators, or to the administrators of the server. Once reported, it stays so.",
  route: {
    method: 'POST',
    path: '/channels/:channel_id/messages/:message_id/report',
    status: 200,
    answers: 'The report, as its reporter sees it.',
    answer: Report,
    ours: true,
  },
  params: OnMessage,
  body: t.intersection([
    t.type({ kind: wordOf(...REPORT_KINDS) }),
    t.partial({ text: optional(anyText(0, TEXT_LENGTH, 'text')) }),
  ]),
  structural: false,
  limit: { bucket: 'report', key: (_, { userId }) => userId },
  stream: ({ channel_id, message_id }, { userId }) => reportStream(channel_id, message_id, userId),
  rights: async ({ fields, context: { actor } }, deps) => {
    if (actor.kind === 'bot') return refused('botsCannot');
    const access = await deps.access.channel(actor.userId, fields.channel_id);
    if (access === undefined) return refused('unknownChannel');
    const may = allows(access.permissions, Permission.readMessageHistory);
    return may ? either.right(undefined) : refused('missingPermissions');
  },
  prepare: async (
    { fields: { channel_id: channelId, message_id: messageId, kind }, context },
    deps,
  ): Promise<Result<Filing>> => {
    const { userId: reporter } = context.actor;
    const access = await deps.access.channel(reporter, channelId);
    const message = await deps.timelines.message(channelId, messageId, reporter);
    if (access === undefined || message === undefined || message.deleted) return either.right({ report: undefined });
    const administrators = [...(await administratorsFor(deps, access.guild?.safetyAlertsChannelId ?? null))];
    const { author } = message;
    const { guildId } = access.channel;
    const about = { guildId, channelId, messageId, author, reporter, administrators, kind };
    return either.right({ report: { reportId: deps.ids(deps.now()), ...about } });
  },
  decide: (state: report.ReportState, { prepared }, { fields }) =>
    report.fileReport({ ...prepared, text: fields.text ?? '' }, state),
  waitsFor: 'views-when-repeated',
  answer: async ({ done, event }, { fields: { channel_id, message_id }, context }, deps) => {
    if (done.events.length > 0 && event?.type === 'report-filed')
      return either.right({ kind: 'report', report: rowOfFiled(event), isReporters: true });
    const row = await deps.views.reports.reportBy(context.actor.userId, channel_id, message_id);
    return either.right(row === undefined ? ACCEPTED : { kind: 'report', report: row, isReporters: true });
  },
});

const Handled = t.intersection([
  t.type({ state: wordOf(...REPORT_OUTCOMES) }),
  t.partial({ note: optional(anyText(0, TEXT_LENGTH, 'note')) }),
]);

const OnReport = t.type({ report_id: Snowflake });
const OnGuildsReport = t.type({ ...OnGuild.props, ...OnReport.props });
type OnAnyReport = t.TypeOf<typeof OnReport> & { readonly guild_id?: string };

/** The report, if it is the caller's to handle. */
const handledBy = async (
  { fields: { guild_id: guildId, report_id: id }, context }: Asked<OnAnyReport>,
  deps: CommandDeps,
): Promise<Result<ReportRow>> => {
  const { userId } = context.actor;
  const sources = { access: deps.access, guilds: deps.views.guilds };
  if (guildId === undefined) {
    if (!(await sources.guilds.administrators()).includes(userId)) return refused('onlyAdministrator');
    const row = await deps.views.reports.report(id);
    const isTheirs = row !== undefined && (await administers(sources, userId, row));
    return isTheirs ? either.right(row) : refused('unknownReport');
  }
  const isModerator = await moderatesGuild(deps, userId, guildId);
  if (isModerator !== true) return refused(isModerator === undefined ? 'unknownGuild' : 'missingPermissions');
  const row = await deps.views.reports.report(id);
  const isTheirs = row?.guildId === guildId && (await moderates(sources, userId, row));
  return isTheirs ? either.right(row) : refused('unknownReport');
};

const streamOf = ({ channelId, messageId, reporter }: ReportRow) => reportStream(channelId, messageId, reporter);

/** What the last answer said. */
const noteIn = async (
  { answer }: report.ReportState,
  stream: string,
  keys: CommandDeps['keys'],
): Promise<string | undefined> =>
  answer === null
    ? undefined
    : openAs(t.string, await keys.get(answer.sealed.by), { stream, eventId: answer.sealedIn }, answer.sealed);

type Handling = Asked<OnAnyReport & t.TypeOf<typeof Handled>>;

const handling = {
  body: Handled,
  structural: false as const,
  prepare: (asked: Handling, deps: CommandDeps) => handledBy(asked, deps),
  preparedStream: streamOf,
  decide: async (
    state: report.ReportState,
    { prepared }: { readonly prepared: ReportRow },
    { fields, context, cause }: Handling,
    { keys }: CommandDeps,
  ) => {
    const formerNote = await noteIn(state, streamOf(prepared), keys);
    const note = fields.note === null ? '' : fields.note;
    const said = { by: context.actor.userId, outcome: fields.state, note, formerNote };
    return report.handleReport({ ...said, key: cause.key }, state);
  },
  waitsFor: 'views-when-repeated' as const,
  answer: async (
    { prepared, event }: Stored<unknown, ReportRow>,
    _: unknown,
    { views: { reports } }: CommandDeps,
  ): Promise<Result<Answer>> => {
    // What changes nothing is so already, perhaps only since the report was looked up.
    const row = event?.type === 'report-handled' ? withAnswer(prepared, event) : await reports.report(prepared.id);
    return either.right({ kind: 'report', report: row ?? prepared, isReporters: false });
  },
};

export const handleReport = command({
  type: 'report.handle',
  summary:
    "Answer or close a report about a message in a guild. For those who manage messages in the message's channel.",
  route: {
    method: 'PATCH',
    path: '/guilds/:guild_id/reports/:report_id',
    status: 200,
    answers: 'The report.',
    answer: Report,
    ours: true,
  },
  params: OnGuildsReport,
  ...handling,
});

export const handleAnyReport = command({
  type: 'report.handle-as-administrator',
  summary: 'Answer or close a report that is for the administrators of the server.',
  route: {
    method: 'PATCH',
    path: '/reports/:report_id',
    status: 200,
    answers: 'The report.',
    answer: Report,
    ours: true,
  },
  params: OnReport,
  ...handling,
});
