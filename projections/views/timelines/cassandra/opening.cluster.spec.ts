import { expect, it } from 'vitest';
import { systemClock } from '../../../../schemas/clock.ts';
import { urls } from '../../../../services/endpoints.ts';
import { openCassandra } from '../../../../stores/cassandra/connection.ts';
import { dropKeyspace, randomKeyspace } from './testing.ts';

it('a new keyspace can be opened by many processes at once', async () => {
  const keyspace = randomKeyspace();
  const opened = await Promise.all(
    Array.from({ length: 12 }, () => openCassandra({ clock: systemClock, url: urls.cassandra, keyspace })),
  );
  try {
    for (const cassandra of opened)
      expect(
        await cassandra.execute('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?', [keyspace]),
      ).toEqual([]);
    await dropKeyspace(opened[0]!);
  } finally {
    for (const cassandra of opened) await cassandra.close();
  }
});
