/** Reports in PostgreSQL. */

import { type Migration, sql } from 'kysely';
import { builder } from '../../../stores/postgres/builder.ts';
import type { Ask, Postgres } from '../../../stores/postgres/connection.ts';
import { boundOf, idKey, inserting } from '../../../stores/postgres/values.ts';
import { statement } from '../../../stores/statement.ts';
import * as reports from './sql.ts';
import type { ReportChange, ReportPage, ReportReader, ReportRow, ReportsOf, ReportsQuery } from './view.ts';

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

export class PostgresReports implements ReportReader {
  private readonly schema: string;
  private readonly run;

  constructor(postgres: Postgres, schema: string) {
    this.schema = schema;
    const queries = reports.reportQueries(builder<reports.ReportTables>(schema), {
      place: (table) => sql.table(`${schema}.${table}`),
      isOutside: (channels) => sql`r.channel_id <> ALL (CAST(${channels} AS bigint[]))`,
    });
    const name = (direction: reports.Direction, whose: reports.Whose) => `reports ${direction} of ${whose}`;
    this.run = {
      page: reports.ofEach((direction, whose) =>
        postgres.prepared(`${schema} ${name(direction, whose)}`, statement(queries.page(direction, whose))),
      ),
      end: reports.ofEach((direction, whose) =>
        postgres.prepared(`${schema} end of ${name(direction, whose)}`, statement(queries.end(direction, whose))),
      ),
      one: postgres.prepared(`${schema} report`, statement(queries.one)),
      by: postgres.prepared(`${schema} report by`, statement(queries.by)),
    };
  }

  async reports(of: ReportsOf, query: ReportsQuery): Promise<ReportPage> {
    const { limit, look, state, except = reports.NO_EXCEPTION } = query;
    const { direction, beyond } = reports.placeOf(query);
    const [whose, id] = reports.whoOf(of);
    const [who, bound] = [idKey(id), boundOf(beyond)];
    const channels = `{${except.channelIds.map(idKey).join(',')}}`;
    const { page, end } = this.run;
    const run = page[direction][whose];
    const found = await run(who, bound, look, state ?? reports.ANY, idKey(except.author), channels, limit);
    return reports.pageOf(found, limit, () => end[direction][whose](who, bound, look - 1));
  }

  async report(id: string): Promise<ReportRow | undefined> {
    return (await this.run.one(idKey(id))).map(reports.rowOf)[0];
  }

  async reportBy(reporter: string, channelId: string, messageId: string): Promise<ReportRow | undefined> {
    return (await this.run.by(idKey(reporter), idKey(channelId), idKey(messageId))).map(reports.rowOf)[0];
  }

  /** @param ask within the transaction that locks the partition of these changes */
  async write(ask: Ask, changes: readonly ReportChange[]): Promise<void> {
    const add = async (table: keyof reports.ReportTables, rows: readonly object[]): Promise<void> => {
      const place = `${this.schema}.${table}`;
      if (rows.length > 0) await ask({ name: `${place} add`, text: inserting(place), values: [JSON.stringify(rows)] });
    };
    await add(
      'reports',
      changes.flatMap((change) => (change.kind === 'filed' ? [reports.filed(change)] : [])),
    );
    await add(
      'report_answers',
      changes.flatMap((change) => (change.kind === 'handled' ? [reports.handled(change)] : [])),
    );
  }
}
