/** Reports in SQLite. */

import { sql } from 'kysely';
import { adding, builder, built, type Connection, idKey, idKeys } from '../../../stores/sqlite/statements.ts';
import * as reports from './sql.ts';
import type { ReportChange, ReportPage, ReportReader, ReportRow, ReportsOf, ReportsQuery } from './view.ts';

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
  const queries = reports.reportQueries(builder<reports.ReportTables>(), {
    place: (table) => sql.table(table),
    isOutside: (channels) => sql`r.channel_id NOT IN (SELECT value FROM json_each(${channels}))`,
  });
  return {
    file: adding<reports.ReportTables['reports']>(db, 'reports', 'ON CONFLICT DO NOTHING'),
    handle: adding<reports.ReportTables['report_answers']>(db, 'report_answers', 'ON CONFLICT DO NOTHING'),
    page: reports.ofEach((direction, whose) => built(db, queries.page(direction, whose))),
    end: reports.ofEach((direction, whose) => built(db, queries.end(direction, whose))),
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
      if (change.kind === 'filed') this.run.file(reports.filed(change));
      else this.run.handle(reports.handled(change));
    }
  }

  async reports(of: ReportsOf, query: ReportsQuery): Promise<ReportPage> {
    const { limit, look, state, except = reports.NO_EXCEPTION } = query;
    const { direction, beyond } = reports.placeOf(query);
    const [whose, id] = reports.whoOf(of);
    const [who, bound, author] = [idKey(id), idKey(beyond), idKey(except.author)];
    const { page, end } = this.run;
    const run = page[direction][whose];
    const found = run.all(who, bound, look, state ?? reports.ANY, author, idKeys(except.channelIds), limit);
    return reports.pageOf(found, limit, () => end[direction][whose].all(who, bound, look - 1));
  }

  async report(id: string): Promise<ReportRow | undefined> {
    return this.run.one.all(idKey(id)).map(reports.rowOf)[0];
  }

  async reportBy(reporter: string, channelId: string, messageId: string): Promise<ReportRow | undefined> {
    return this.run.by.all(idKey(reporter), idKey(channelId), idKey(messageId)).map(reports.rowOf)[0];
  }
}
