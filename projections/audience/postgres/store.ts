import type { Audience } from '../../../schemas/streams.ts';
import type { Ask, Postgres } from '../../postgres/connection.ts';
import { inserting } from '../../postgres/rows.ts';
import type { AudienceEntry, AudienceReader } from '../port.ts';

export class PostgresAudiences implements AudienceReader {
  private readonly postgres: Postgres;
  private readonly schema: string;
  private readonly merged: string;
  private readonly insert: string;

  constructor(postgres: Postgres, schema: string) {
    this.postgres = postgres;
    this.schema = schema;
    this.insert = inserting(`${schema}.audiences`);
    // Each audience's first entries from its index, merged by the server: many audiences cost one round trip.
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

  /** @param ask within the transaction that holds the partition of these entries. */
  async write(ask: Ask, entries: readonly AudienceEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const values = [JSON.stringify(entries)];
    await ask({ name: `${this.schema} write audiences`, text: this.insert, values });
  }
}
