/** Checkpoints in PostgreSQL. */

import type { Watch } from '../../stores/guard.ts';
import { Postgres } from '../../stores/postgres/connection.ts';
import { migrate } from '../../stores/postgres/migrations.ts';
import type { Checkpoints } from '../port.ts';
import { COORDINATION_MIGRATIONS } from './migrations.ts';

/** Positions by name in the vault's database. @throws StoreUnavailable when it cannot answer, as do its methods. */
export const openCheckpoints = async (
  url: string,
  watch?: Watch,
): Promise<Checkpoints & { close(): Promise<void> }> => {
  const database = new Postgres('vault', { url, watch });
  try {
    await migrate(database, COORDINATION_MIGRATIONS);
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    async read(name) {
      const [row] = await database.rows<[number]>('SELECT position FROM checkpoints WHERE name = $1', [name]);
      return row?.[0] ?? 0;
    },
    async write(name, position) {
      await database.rows(
        `INSERT INTO checkpoints VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET position = greatest(checkpoints.position, excluded.position)`,
        [name, position],
      );
    },
    close: () => database.close(),
  };
};
