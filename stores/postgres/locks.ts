/**
 * Every advisory lock that Parley takes in PostgreSQL. The numbers never change, since processes of several versions
 * share them. 0x50524d with the hash of a name was a leadership, before those became leases: it is not reused.
 */

/** The two numbers of `pg_advisory_lock(integer, integer)`. */
export type LockNumbers = readonly [number, number];

const OURS = 0x50524c;

export const LOCKS = {
  /** Held while the log's tables are created. */
  logTables: [OURS, 1],
  /** Held while positions are assigned and committed. */
  append: [OURS, 2],
  /** Held while the tables of vault and coordination are created, and by a process that must have the vault alone. */
  vault: [OURS, 3],
  /** Held while the tables of a generation of the views are created. */
  viewsTables: [OURS, 4],
} as const satisfies Record<string, LockNumbers>;

/** Held while the table of dead letters is created. The one number of `pg_advisory_lock(bigint)`. */
export const DEAD_LETTERS_LOCK = 0x50524c_01;
