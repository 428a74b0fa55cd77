import type { AudienceTables } from '../audience/queries.ts';
import type { GuildTables } from '../guild-views/tables.ts';
import type { SnapshotTables } from '../snapshots/queries.ts';

/** Everything in a generation's schema. */
export interface ViewTables extends GuildTables, AudienceTables, SnapshotTables {
  /** How far each partition of the distribution log has got; none where that is nowhere. */
  readonly checkpoints: { readonly partition: number; readonly position: number };
}
