/** Reports in every SQL store. */

import { type Kysely, type Migration, type RawBuilder, sql } from 'kysely';
import type { ReportKind, ReportOutcome } from '../../../schemas/events/report.ts';
import { builder as postgresBuilder } from '../../../stores/postgres/builder.ts';
import type { Ask, Postgres } from '../../../stores/postgres/connection.ts';
import { boundOf, inserting, idKey as postgresId } from '../../../stores/postgres/values.ts';
import { adding, builder, built, type Connection, idKey, idKeys } from '../../../stores/sqlite/statements.ts';
import { statement } from '../../../stores/statement.ts';
import type { ReportChange, ReportReader, ReportRow, ReportsOf, ReportsQuery } from './view.ts';

interface ReportTables {
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

type Direction = 'before' | 'after';

/** Of the reports of a page: the id that it lies beyond, and those which it leaves out. */
type Bounds = readonly [beyond: string, state: string, author: string, channels: string, limit: number];

const reportQueries = (db: Kysely<ReportTables>, { place, isOutside }: Dialect) => {
  const selected = (rest: RawBuilder<unknown>) => ({
    compile: () =>
      sql<ReportColumns>`SELECT ${COLUMNS} FROM ${place('reports')} r
        LEFT JOIN ${place('report_answers')} a ON a.report_id = r.id AND a.position =
          (SELECT max(l.position) FROM ${place('report_answers')} l WHERE l.report_id = r.id) ${rest}`.compile(db),
  });
  // The values are written out: a statement counts them by the function's length.
  const pages = (direction: Direction) => {
    const page = (whose: RawBuilder<unknown>, ...[beyond, state, author, channels, limit]: Bounds) => {
      const isNewest = direction === 'before';
      return selected(sql`WHERE ${whose} AND ${isNewest ? sql`r.id < ${beyond}` : sql`r.id > ${beyond}`}
        AND (CAST(${state} AS text) = '' OR coalesce(a.outcome, 'open') = ${state})
        AND r.author <> ${author} AND ${isOutside(channels)}
        ORDER BY r.id ${isNewest ? sql`DESC` : sql`ASC`} LIMIT ${limit}`);
    };
    return {
      ofGuild: (guildId: string, beyond: string, state: string, author: string, channels: string, limit: number) =>
        page(sql`r.guild_id = ${guildId}`, beyond, state, author, channels, limit),
      ofAdministrators: (beyond: string, state: string, author: string, channels: string, limit: number) =>
        page(sql`r.for_administrators = 1`, beyond, state, author, channels, limit),
      ofReporter: (reporter: string, beyond: string, state: string, author: string, channels: string, limit: number) =>
        page(sql`r.reporter = ${reporter}`, beyond, state, author, channels, limit),
    };
  };
  return {
    before: pages('before'),
    after: pages('after'),
    one: (id: string) => selected(sql`WHERE r.id = ${id}`),
    by: (reporter: string, channelId: string, messageId: string) =>
      selected(sql`WHERE r.reporter = ${reporter} AND r.channel_id = ${channelId} AND r.message_id = ${messageId}`),
  };
};

const rowOf = (c: ReportColumns): ReportRow => ({
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

const filed = ({ report, position }: Filed): ReportTables['reports'] => ({
  ...{ id: report.id, guild_id: report.guildId, channel_id: report.channelId, message_id: report.messageId },
  ...{ author: report.author, reporter: report.reporter, for_administrators: report.forAdministrators ? 1 : 0 },
  ...{ kind: report.kind, filed_time: report.time, position },
  ...{ sealed_by: report.text.sealed.by, box: report.text.sealed.box, sealed_in: report.text.sealedIn },
});

const handled = ({ reportId, answer, position }: Handled): ReportTables['report_answers'] => ({
  ...{ report_id: reportId, position, outcome: answer.outcome, handled_by: answer.by, handled_time: answer.time },
  ...{ sealed_by: answer.note.sealed.by, box: answer.note.sealed.box, sealed_in: answer.note.sealedIn },
});

/** The rows by which two generations are compared. */
export const reportRowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  reports: sql`SELECT * FROM reports WHERE position <= ${at}`,
  report_answers: sql`SELECT * FROM report_answers WHERE position <= ${at}`,
});

export const reportMigrations = (schema: string): Readonly<Record<string, Migration>> => ({
  '030-reports': {
    async up(db) {
      await sql`CREATE TABLE ${sql.table(`${schema}.reports`)} (
        id bigint PRIMARY KEY, guild_id bigint, channel_id bigint NOT NULL, message_id bigint NOT NULL,
        author bigint NOT NULL, reporter bigint NOT NULL, for_administrators integer NOT NULL, kind text NOT NULL,
        filed_time bigint NOT NULL, position bigint NOT NULL,
        sealed_by bigint NOT NULL, box text NOT NULL, sealed_in text NOT NULL)`.execute(db);
      await sql`CREATE TABLE ${sql.table(`${schema}.report_answers`)} (
        report_id bigint NOT NULL, position bigint NOT NULL, outcome text NOT NULL, handled_by bigint NOT NULL,
        handled_time bigint NOT NULL, sealed_by bigint NOT NULL, box text NOT NULL, sealed_in text NOT NULL,
        PRIMARY KEY (report_id, position))`.execute(db);
      await sql`CREATE INDEX reports_of_guild ON ${sql.table(`${schema}.reports`)} (guild_id, id)`.execute(db);
      await sql`CREATE INDEX reports_by ON ${sql.table(`${schema}.reports`)} (reporter, id)`.execute(db);
      await sql`CREATE INDEX reports_of_administrators ON ${sql.table(`${schema}.reports`)} (id)
        WHERE for_administrators = 1`.execute(db);
    },
  },
});

const HIGHEST_ID = '9223372036854775807';
/** Whatever came of them. */
const ANY = '';
/** No user has it. */
const NOBODY = '0';
const NO_EXCEPTION = { author: NOBODY, channelIds: [] };

const placeOf = ({ before, after }: ReportsQuery): { readonly direction: Direction; readonly beyond: string } => {
  const direction = before === undefined && after !== undefined ? 'after' : 'before';
  // A bound need be no id: it may have leading zeros.
  const beyond = ((direction === 'after' ? after : before) ?? HIGHEST_ID).replace(/^0+(?=\d)/, '');
  return { direction, beyond };
};

export class PostgresReports implements ReportReader {
  private readonly schema: string;
  private readonly run;

  constructor(postgres: Postgres, schema: string) {
    this.schema = schema;
    const queries = reportQueries(postgresBuilder<ReportTables>(schema), {
      place: (table) => sql.table(`${schema}.${table}`),
      isOutside: (channels) => sql`r.channel_id <> ALL (CAST(${channels} AS bigint[]))`,
    });
    const pages = (direction: Direction) => {
      const { ofGuild, ofAdministrators, ofReporter } = queries[direction];
      const name = `${schema} reports ${direction}`;
      return {
        ofGuild: postgres.prepared(`${name} of guild`, statement(ofGuild)),
        ofAdministrators: postgres.prepared(`${name} of administrators`, statement(ofAdministrators)),
        ofReporter: postgres.prepared(`${name} of reporter`, statement(ofReporter)),
      };
    };
    this.run = {
      before: pages('before'),
      after: pages('after'),
      one: postgres.prepared(`${schema} report`, statement(queries.one)),
      by: postgres.prepared(`${schema} report by`, statement(queries.by)),
    };
  }

  async reports(of: ReportsOf, query: ReportsQuery) {
    const { limit, state, except = NO_EXCEPTION } = query;
    const { direction, beyond } = placeOf(query);
    const channels = `{${except.channelIds.map(postgresId).join(',')}}`;
    const bounds = [boundOf(beyond), state ?? ANY, postgresId(except.author), channels, limit] as const;
    const run = this.run[direction];
    const rows =
      'guildId' in of
        ? run.ofGuild(postgresId(of.guildId), ...bounds)
        : 'reporter' in of
          ? run.ofReporter(postgresId(of.reporter), ...bounds)
          : run.ofAdministrators(...bounds);
    return (await rows).map(rowOf);
  }

  async report(id: string): Promise<ReportRow | undefined> {
    return (await this.run.one(postgresId(id))).map(rowOf)[0];
  }

  async reportBy(reporter: string, channelId: string, messageId: string): Promise<ReportRow | undefined> {
    return (await this.run.by(postgresId(reporter), postgresId(channelId), postgresId(messageId))).map(rowOf)[0];
  }

  /** @param ask within the transaction that locks the partition of these changes */
  async write(ask: Ask, changes: readonly ReportChange[]): Promise<void> {
    const add = async (table: keyof ReportTables, rows: readonly object[]): Promise<void> => {
      const place = `${this.schema}.${table}`;
      if (rows.length > 0) await ask({ name: `${place} add`, text: inserting(place), values: [JSON.stringify(rows)] });
    };
    await add(
      'reports',
      changes.flatMap((change) => (change.kind === 'filed' ? [filed(change)] : [])),
    );
    await add(
      'report_answers',
      changes.flatMap((change) => (change.kind === 'handled' ? [handled(change)] : [])),
    );
  }
}

export const reportTables = `
CREATE TABLE reports (
  id INTEGER PRIMARY KEY,
  guild_id INTEGER,
  channel_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  author INTEGER NOT NULL,
  reporter INTEGER NOT NULL,
  for_administrators INTEGER NOT NULL,
  kind TEXT NOT NULL,
  filed_time INTEGER NOT NULL,
  position INTEGER NOT NULL,
  sealed_by INTEGER NOT NULL,
  box TEXT NOT NULL,
  sealed_in TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX reports_of_guild ON reports (guild_id, id);
CREATE INDEX reports_by ON reports (reporter, id);
CREATE INDEX reports_of_administrators ON reports (id) WHERE for_administrators = 1;
CREATE TABLE report_answers (
  report_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  handled_by INTEGER NOT NULL,
  handled_time INTEGER NOT NULL,
  sealed_by INTEGER NOT NULL,
  box TEXT NOT NULL,
  sealed_in TEXT NOT NULL,
  PRIMARY KEY (report_id, position)
) WITHOUT ROWID;
`;

const prepare = (db: Connection) => {
  const queries = reportQueries(builder<ReportTables>(), {
    place: (table) => sql.table(table),
    isOutside: (channels) => sql`r.channel_id NOT IN (SELECT value FROM json_each(${channels}))`,
  });
  const pages = (direction: Direction) => ({
    ofGuild: built(db, queries[direction].ofGuild),
    ofAdministrators: built(db, queries[direction].ofAdministrators),
    ofReporter: built(db, queries[direction].ofReporter),
  });
  return {
    file: adding<ReportTables['reports']>(db, 'reports', 'ON CONFLICT DO NOTHING'),
    handle: adding<ReportTables['report_answers']>(db, 'report_answers', 'ON CONFLICT DO NOTHING'),
    before: pages('before'),
    after: pages('after'),
    one: built(db, queries.one),
    by: built(db, queries.by),
  };
};

export class SqliteReports implements ReportReader {
  private readonly run: ReturnType<typeof prepare>;

  constructor(db: Connection) {
    this.run = prepare(db);
  }

  apply(changes: readonly ReportChange[]): void {
    for (const change of changes) {
      if (change.kind === 'filed') this.run.file(filed(change));
      else this.run.handle(handled(change));
    }
  }

  async reports(of: ReportsOf, query: ReportsQuery) {
    const { limit, state, except = NO_EXCEPTION } = query;
    const { direction, beyond } = placeOf(query);
    const bounds = [idKey(beyond), state ?? ANY, idKey(except.author), idKeys(except.channelIds), limit] as const;
    const run = this.run[direction];
    const rows =
      'guildId' in of
        ? run.ofGuild.all(idKey(of.guildId), ...bounds)
        : 'reporter' in of
          ? run.ofReporter.all(idKey(of.reporter), ...bounds)
          : run.ofAdministrators.all(...bounds);
    return rows.map(rowOf);
  }

  async report(id: string): Promise<ReportRow | undefined> {
    return this.run.one.all(idKey(id)).map(rowOf)[0];
  }

  async reportBy(reporter: string, channelId: string, messageId: string): Promise<ReportRow | undefined> {
    return this.run.by.all(idKey(reporter), idKey(channelId), idKey(messageId)).map(rowOf)[0];
  }
}
