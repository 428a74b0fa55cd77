/** Every projection on the one views file. */
import type { Fold } from '../../../domain/fold.ts';
import type { LogReader } from '../../../log/port.ts';
import type { ParleyEvent } from '../../../schemas/events/index.ts';
import { audienceEntries } from '../../audience/project.ts';
import { SqliteAudiences } from '../../audience/sqlite/store.ts';
import { guildChanges } from '../../guild-views/project.ts';
import { GuildCache } from '../../guild-views/sqlite/cache.ts';
import { SqliteGuildReader } from '../../guild-views/sqlite/reader.ts';
import { SqliteGuildWriter } from '../../guild-views/sqlite/writer.ts';
import { Folding } from '../../snapshots/folding.ts';
import { SqliteSnapshots } from '../../snapshots/sqlite/store.ts';
import type { Connection } from '../../sqlite/statements.ts';
import { timelineChanges } from '../../timelines/project.ts';
import { SqliteTimelineReader } from '../../timelines/sqlite/reader.ts';
import { SqliteTimelineWriter } from '../../timelines/sqlite/writer.ts';
import { Floors } from '../../unread/floors.ts';
import { unreadChanges } from '../../unread/project.ts';
import { Unread } from '../../unread/reader.ts';
import { SqliteUnread } from '../../unread/sqlite/store.ts';
import type { Readers } from '../runner.ts';

export interface Projection {
  readonly name: string;
  /** Reads what `apply` will need; `undefined` when that is nothing. */
  prepare?(events: readonly ParleyEvent[]): Promise<void> | undefined;
  /** In one go, so that nobody on the same connection sees half of it. */
  apply(events: readonly ParleyEvent[]): void;
  /** The transaction was rolled back. */
  undone?(): void;
}

export type FoldOf = (stream: string) => Fold<unknown> | undefined;

export const sqliteProjections = (
  db: Connection,
  log: LogReader,
  foldOf: FoldOf,
): { projections: readonly Projection[]; readers: Readers } => {
  const cache = new GuildCache();
  const guilds = new SqliteGuildReader(db, cache);
  const guildWriter = new SqliteGuildWriter(db, cache);
  const timelineWriter = new SqliteTimelineWriter(db);
  const unread = new SqliteUnread(db);
  const audiences = new SqliteAudiences(db);
  const snapshots = new SqliteSnapshots(db);
  const folding = new Folding(foldOf, log, snapshots);
  return {
    projections: [
      { name: 'guild-views', apply: (events) => guildWriter.apply(guildChanges(events)) },
      { name: 'timelines', apply: (events) => timelineWriter.apply(timelineChanges(events)) },
      { name: 'unread', apply: (events) => unread.apply(unreadChanges(events)) },
      { name: 'audience', apply: (events) => audiences.apply(audienceEntries(events)) },
      {
        name: 'snapshots',
        prepare: (events) => (folding.mustLoad(events) ? folding.load(events) : undefined),
        apply: (events) => snapshots.apply(folding.fold(events)),
        undone: () => folding.forget(),
      },
    ],
    readers: {
      timelines: new SqliteTimelineReader(db),
      guilds,
      unread: new Unread(unread, new Floors(guilds, log)),
      audiences,
      snapshots,
    },
  };
};
