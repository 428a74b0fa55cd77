import type { Checkpoints } from '../leases-port.ts';
import { openDatabase } from './connection.ts';
import { prepare } from './schema.ts';

/** Positions by name in the vault's database. @throws StoreUnavailable when it cannot be asked; so do its methods. */
export const openCheckpoints = async (url: string): Promise<Checkpoints> => {
  const database = openDatabase(url);
  try {
    await prepare(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    async read(name) {
      const [row] = await database.rows<[string]>('SELECT position FROM checkpoints WHERE name = $1', [name]);
      return Number(row?.[0] ?? 0);
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
