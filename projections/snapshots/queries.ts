/** Snapshots in every SQL store. */
import type { Kysely } from 'kysely';

export interface SnapshotTables {
  readonly snapshots: {
    readonly stream: string;
    readonly sequence: number;
    readonly version: number;
    /** JSON. */
    readonly state: string;
  };
}

export const snapshotQueries = (db: Kysely<SnapshotTables>) => ({
  latest: (stream: string) =>
    db.selectFrom('snapshots as s').select(['s.sequence', 's.version', 's.state']).where('s.stream', '=', stream),
});
