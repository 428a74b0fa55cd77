import type { Audience } from '../../../schemas/streams.ts';
import { type Connection, command, query } from '../../sqlite/statements.ts';
import type { AudienceEntry, AudienceReader, AudienceWriter } from '../port.ts';

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
  add: command(db, 'INSERT INTO audiences (audience, position, stream, sequence, type) VALUES (?, ?, ?, ?, ?)'),
  between: query<[position: number, stream: string, sequence: number, type: string]>(
    db,
    `SELECT position, stream, sequence, type FROM audiences
     WHERE audience = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?`,
  ),
});

export class SqliteAudiences implements AudienceReader, AudienceWriter {
  private readonly run: ReturnType<typeof prepare>;

  constructor(db: Connection) {
    this.run = prepare(db);
  }

  apply(entries: readonly AudienceEntry[]): void {
    for (const entry of entries) this.run.add(entry.audience, entry.position, entry.stream, entry.sequence, entry.type);
  }

  async between(
    audiences: readonly Audience[],
    after: number,
    through: number,
    limit: number,
  ): Promise<readonly AudienceEntry[]> {
    const entries: AudienceEntry[] = [];
    for (const audience of new Set(audiences)) {
      for (const [position, stream, sequence, type] of this.run.between.all(audience, after, through, limit))
        entries.push({ audience, position, stream, sequence, type });
    }
    return entries.sort((a, b) => a.position - b.position).slice(0, limit);
  }
}
