import type { Audience } from '../../../schemas/streams.ts';
import { adding, builder, built, type Connection } from '../../sqlite/statements.ts';
import type { AudienceEntry, AudienceReader, AudienceWriter } from '../port.ts';
import { type AudienceTables, audienceQueries } from '../queries.ts';

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

  constructor(db: Connection) {
    this.run = prepare(db);
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
    for (const audience of new Set(audiences)) entries.push(...this.run.between.all(audience, after, through, limit));
    return entries.sort((a, b) => a.position - b.position).slice(0, limit);
  }
}
