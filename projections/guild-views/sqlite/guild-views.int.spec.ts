import { memoryDatabase } from '../../sqlite/testing.ts';
import { guildViewsContract } from '../contract.ts';
import { guildChanges } from '../project.ts';
import { GuildCache } from './cache.ts';
import { SqliteGuildReader } from './reader.ts';
import { guildTables } from './tables.ts';
import { SqliteGuildWriter } from './writer.ts';

guildViewsContract('SQLite', async () => {
  const db = memoryDatabase(guildTables);
  const cache = new GuildCache();
  const writer = new SqliteGuildWriter(db, cache);
  return {
    reader: new SqliteGuildReader(db, cache),
    apply: async (events) => writer.apply(guildChanges(events)),
    close: async () => void db.close(),
  };
});
