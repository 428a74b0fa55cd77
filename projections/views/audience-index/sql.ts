/** The audience index in every SQL store. */

import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Audience } from '../../../schemas/streams.ts';
import type { TimeSlices } from '../../../schemas/time-slices.ts';
import type { Ask, Postgres } from '../../../stores/postgres/connection.ts';
import { inserting } from '../../../stores/postgres/values.ts';
import { adding, builder, built, type Connection } from '../../../stores/sqlite/statements.ts';
import type { AudienceEntry, AudienceReader, AudienceWriter } from './view.ts';

export class PostgresAudiences implements AudienceReader {
  private readonly postgres: Postgres;
  private readonly schema: string;
  private readonly merged: string;
  private readonly insert: string;

  constructor(postgres: Postgres, schema: string) {
    this.postgres = postgres;
    this.schema = schema;
    this.insert = inserting(`${schema}.audiences`);
    // Takes each audience's first entries from the index and merges them on the server: many audiences cost one round
    // trip.
    this.merged = `SELECT e.* FROM unnest($1::text[]) wanted(name) CROSS JOIN LATERAL (
        SELECT audience, position, stream, sequence, type FROM ${schema}.audiences
        WHERE audience = wanted.name AND position > $2 AND position <= $3 ORDER BY position LIMIT $4
      ) e ORDER BY e.position, e.audience LIMIT $4`;
  }

  between(
    audiences: readonly Audience[],
    after: number,
    through: number,
    limit: number,
  ): Promise<readonly AudienceEntry[]> {
    const values = [[...new Set(audiences)], after, through, limit];
    return this.postgres.ask({ name: `${this.schema} audiences`, text: this.merged, values });
  }

  /** @param ask within the transaction that locks the partition of these entries */
  async write(ask: Ask, entries: readonly AudienceEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const values = [JSON.stringify(entries)];
    await ask({ name: `${this.schema} write audiences`, text: this.insert, values });
  }
}

export const audienceRowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  audiences: sql`SELECT * FROM audiences WHERE position <= ${at}`,
});

export interface AudienceTables {
  readonly audiences: {
    readonly audience: Audience;
    readonly position: number;
    readonly stream: string;
    readonly sequence: number;
    readonly type: string;
  };
}

const audienceQueries = (db: Kysely<AudienceTables>) => ({
  /** The entries of one audience. */
  between: (audience: Audience, after: number, through: number, limit: number) =>
    db
      .selectFrom('audiences as a')
      .select(['a.audience', 'a.position', 'a.stream', 'a.sequence', 'a.type'])
      .where('a.audience', '=', audience)
      .where('a.position', '>', after)
      .where('a.position', '<=', through)
      .orderBy('a.position')
      .limit(limit),
});

export const audienceTables = `
CREATE TABLE audiences (
  audience TEXT NOT NULL,
  position INTEGER NOT NULL,
  stream TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  type TEXT NOT NULL,
  PRIMARY KEY (audience, position)
) WITHOUT ROWID;
`;

const prepare = (db: Connection) => ({
  add: adding<AudienceTables['audiences']>(db, 'audiences'),
  between: built(db, audienceQueries(builder<AudienceTables>()).between),
});

export class SqliteAudiences implements AudienceReader, AudienceWriter {
  private readonly run: ReturnType<typeof prepare>;
  private readonly slices: TimeSlices;

  /** @param slices shared by all readers of the file */
  constructor(db: Connection, slices: TimeSlices) {
    this.run = prepare(db);
    this.slices = slices;
  }

  apply(entries: readonly AudienceEntry[]): void {
    for (const entry of entries) this.run.add(entry);
  }

  async between(
    audiences: readonly Audience[],
    after: number,
    through: number,
    limit: number,
  ): Promise<readonly AudienceEntry[]> {
    const entries: AudienceEntry[] = [];
    for (const audience of new Set(audiences))
      entries.push(...(await this.slices.step(() => this.run.between.all(audience, after, through, limit))));
    return entries.sort((a, b) => a.position - b.position).slice(0, limit);
  }
}
