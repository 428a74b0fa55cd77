/** Questions about reports, in the words that every SQL store takes. */

import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { ReportKind, ReportOutcome } from '../../../schemas/events/report.ts';
import type { ReportChange, ReportPage, ReportRow, ReportsOf, ReportsQuery } from './view.ts';

export interface ReportTables {
  readonly reports: {
    readonly id: string;
    readonly guild_id: string | null;
    readonly channel_id: string;
    readonly message_id: string;
    readonly author: string;
    readonly reporter: string;
    /** 1: for the server's administrators. */
    readonly for_administrators: number;
    readonly kind: string;
    readonly filed_time: number;
    readonly position: number;
    readonly sealed_by: string;
    readonly box: string;
    readonly sealed_in: string;
  };
  /** All that came of each report; the last one counts. */
  readonly report_answers: {
    readonly report_id: string;
    readonly position: number;
    readonly outcome: string;
    readonly handled_by: string;
    readonly handled_time: number;
    readonly sealed_by: string;
    readonly box: string;
    readonly sealed_in: string;
  };
}

interface ReportColumns extends Omit<ReportRow, 'forAdministrators' | 'kind' | 'text' | 'answer'> {
  readonly forAdministrators: number;
  readonly kind: string;
  readonly sealedBy: string;
  readonly box: string;
  readonly sealedIn: string;
  readonly outcome: string | null;
  readonly handledBy: string;
  readonly handledTime: number;
  readonly noteBy: string;
  readonly noteBox: string;
  readonly noteIn: string;
}

const COLUMNS = sql`CAST(r.id AS text) AS "id", CAST(r.guild_id AS text) AS "guildId",
  CAST(r.channel_id AS text) AS "channelId", CAST(r.message_id AS text) AS "messageId",
  CAST(r.author AS text) AS "author", CAST(r.reporter AS text) AS "reporter",
  r.for_administrators AS "forAdministrators", r.kind AS "kind", r.filed_time AS "time",
  CAST(r.sealed_by AS text) AS "sealedBy", r.box AS "box", r.sealed_in AS "sealedIn", a.outcome AS "outcome",
  CAST(a.handled_by AS text) AS "handledBy", a.handled_time AS "handledTime",
  CAST(a.sealed_by AS text) AS "noteBy", a.box AS "noteBox", a.sealed_in AS "noteIn"`;

interface Dialect {
  /** A table's name, with that of its schema if it has one. */
  readonly place: (table: keyof ReportTables) => RawBuilder<unknown>;
  /** Whether a channel is none of a bound list of ids. */
  readonly isOutside: (channels: string) => RawBuilder<unknown>;
}

const DIRECTIONS = ['before', 'after'] as const;
export type Direction = (typeof DIRECTIONS)[number];

const WHOSE = {
  guild: (id: string) => sql`r.guild_id = ${id}`,
  reporter: (id: string) => sql`r.reporter = ${id}`,
  administrators: (_: string) => sql`r.for_administrators = 1`,
};
export type Whose = keyof typeof WHOSE;

export const reportQueries = (db: Kysely<ReportTables>, { place, isOutside }: Dialect) => {
  const selected = (from: RawBuilder<unknown>, rest: RawBuilder<unknown>) => ({
    compile: () =>
      sql<ReportColumns>`SELECT ${COLUMNS} FROM ${from} r
        LEFT JOIN ${place('report_answers')} a ON a.report_id = r.id AND a.position =
          (SELECT max(l.position) FROM ${place('report_answers')} l WHERE l.report_id = r.id) ${rest}`.compile(db),
  });
  const ordered = (direction: Direction) => sql`ORDER BY r.id ${direction === 'before' ? sql`DESC` : sql`ASC`}`;
  const beyondOf = (direction: Direction, id: string) =>
    direction === 'before' ? sql`r.id < ${id}` : sql`r.id > ${id}`;
  return {
    // The values are written out: a statement counts them by the function's length.
    page:
      (direction: Direction, whose: Whose) =>
      (who: string, beyond: string, look: number, state: string, author: string, channels: string, limit: number) =>
        selected(
          sql`(SELECT * FROM ${place('reports')} r WHERE ${WHOSE[whose](who)} AND ${beyondOf(direction, beyond)}
            ${ordered(direction)} LIMIT ${look})`,
          sql`WHERE (CAST(${state} AS text) = '' OR coalesce(a.outcome, 'open') = ${state})
            AND r.author <> ${author} AND ${isOutside(channels)} ${ordered(direction)} LIMIT ${limit}`,
        ),
    /** The id of the report beyond which such a page does not look. */
    end: (direction: Direction, whose: Whose) => (who: string, beyond: string, lookedBefore: number) => ({
      compile: () =>
        sql<{ id: string }>`SELECT CAST(r.id AS text) AS "id" FROM ${place('reports')} r
          WHERE ${WHOSE[whose](who)} AND ${beyondOf(direction, beyond)}
          ${ordered(direction)} LIMIT 1 OFFSET ${lookedBefore}`.compile(db),
    }),
    one: (id: string) => selected(place('reports'), sql`WHERE r.id = ${id}`),
    by: (reporter: string, channelId: string, messageId: string) =>
      selected(
        place('reports'),
        sql`WHERE r.reporter = ${reporter} AND r.channel_id = ${channelId} AND r.message_id = ${messageId}`,
      ),
  };
};

/** The same of each direction and of each whose reports they are. */
export const ofEach = <R>(make: (direction: Direction, whose: Whose) => R): Record<Direction, Record<Whose, R>> => {
  const each = (direction: Direction) =>
    Object.fromEntries(Object.keys(WHOSE).map((whose) => [whose, make(direction, whose as Whose)]));
  return Object.fromEntries(DIRECTIONS.map((direction) => [direction, each(direction)])) as Record<
    Direction,
    Record<Whose, R>
  >;
};

export const rowOf = (c: ReportColumns): ReportRow => ({
  ...{ id: c.id, guildId: c.guildId, channelId: c.channelId, messageId: c.messageId },
  ...{ author: c.author, reporter: c.reporter, forAdministrators: c.forAdministrators === 1 },
  kind: c.kind as ReportKind,
  time: c.time,
  text: { sealed: { by: c.sealedBy, box: c.box }, sealedIn: c.sealedIn },
  answer:
    c.outcome === null
      ? null
      : {
          outcome: c.outcome as ReportOutcome,
          by: c.handledBy,
          time: c.handledTime,
          note: { sealed: { by: c.noteBy, box: c.noteBox }, sealedIn: c.noteIn },
        },
});

type Filed = Extract<ReportChange, { kind: 'filed' }>;
type Handled = Extract<ReportChange, { kind: 'handled' }>;

export const filed = ({ report, position }: Filed): ReportTables['reports'] => ({
  ...{ id: report.id, guild_id: report.guildId, channel_id: report.channelId, message_id: report.messageId },
  ...{ author: report.author, reporter: report.reporter, for_administrators: report.forAdministrators ? 1 : 0 },
  ...{ kind: report.kind, filed_time: report.time, position },
  ...{ sealed_by: report.text.sealed.by, box: report.text.sealed.box, sealed_in: report.text.sealedIn },
});

export const handled = ({ reportId, answer, position }: Handled): ReportTables['report_answers'] => ({
  ...{ report_id: reportId, position, outcome: answer.outcome, handled_by: answer.by, handled_time: answer.time },
  ...{ sealed_by: answer.note.sealed.by, box: answer.note.sealed.box, sealed_in: answer.note.sealedIn },
});

/** The rows by which two generations are compared. */
export const reportRowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  reports: sql`SELECT * FROM reports WHERE position <= ${at}`,
  report_answers: sql`SELECT * FROM report_answers WHERE position <= ${at}`,
});

const HIGHEST_ID = '9223372036854775807';
/** Whatever came of them. */
export const ANY = '';
/** No user has it. */
const NOBODY = '0';
export const NO_EXCEPTION = { author: NOBODY, channelIds: [] };

export const whoOf = (of: ReportsOf): readonly [whose: Whose, who: string] => {
  if ('guildId' in of) return ['guild', of.guildId];
  return 'reporter' in of ? ['reporter', of.reporter] : ['administrators', NOBODY];
};

export const placeOf = ({
  before,
  after,
}: ReportsQuery): { readonly direction: Direction; readonly beyond: string } => {
  const direction = before === undefined && after !== undefined ? 'after' : 'before';
  // A bound need be no id: it may have leading zeros.
  const beyond = ((direction === 'after' ? after : before) ?? HIGHEST_ID).replace(/^0+(?=\d)/, '');
  return { direction, beyond };
};

/** @param end asks for the id of the last report that was looked at */
export const pageOf = async (
  columns: readonly ReportColumns[],
  limit: number,
  end: () => Promise<readonly { readonly id: string }[]> | readonly { readonly id: string }[],
): Promise<ReportPage> => {
  const rows = columns.map(rowOf);
  const last = rows.length < limit ? (await end())[0] : rows.at(-1);
  return { rows, next: last?.id };
};
