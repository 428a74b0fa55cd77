/**
 * Every advisory lock that Parley takes in PostgreSQL. The numbers never change, since processes of several versions meet at
 * them. The views' tables are made under the lock of
 * Kysely's migrator. 0x50524d with the hash of a name was a leadership, before those became leases: it is not used again.
 */

/** The two numbers of `pg_advisory_lock(integer, integer)`. */
export type LockNumbers = readonly [number, number];

const OURS = 0x50524c;

export const LOCKS = {
  /** While the log's tables are made. */
  logTables: [OURS, 1],
  /** While positions are assigned and committed. */
  append: [OURS, 2],
  /** While the tables of vault and coordination are made, and by who must have the vault alone. */
  vault: [OURS, 3],
} as const satisfies Record<string, LockNumbers>;

/** While the table of dead letters is made: the one number of `pg_advisory_lock(bigint)`. */
export const DEAD_LETTERS_LOCK = 0x50524c_01;
