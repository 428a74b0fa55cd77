import { systemClock } from '../../../../schemas/clock.ts';
import { TimeSlices } from '../../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../../stores/testing.ts';
import { guildViewsContract } from '../contract.ts';
import { guildChanges } from '../view.ts';
import { GuildCache, SqliteGuildReader } from './reader.ts';
import { guildTables, SqliteGuildWriter } from './writer.ts';

guildViewsContract('SQLite', async () => {
  const db = memoryDatabase(guildTables);
  const cache = new GuildCache();
  const writer = new SqliteGuildWriter(db, cache);
  return {
    reader: new SqliteGuildReader(db, cache, new TimeSlices(systemClock)),
    apply: async (events) => writer.apply(guildChanges(events)),
    close: async () => void db.close(),
  };
});
