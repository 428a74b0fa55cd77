/**
 * Tables, one set per generation: a rebuild builds a new set beside the one that is read. Never the same one anew: a
 * deletion that the store has forgotten (after `gc_grace_seconds`) would let an older write, repeated, reappear.
 *
 * Every write and deletion of rows carries its event's sequence as its timestamp, so that the newest wins whatever the
 * order in which they come. One that carries the clock instead would hide all later events.
 */
import type { Cassandra } from './connection.ts';

/**
 * Messages of a channel in one partition. A row of 100 characters takes 0.5 KB, one of 2,000 (the most) up to 11 KB: a
 * partition has 2.5 MB, at the very worst 55 MB (100 MB is what both stores advise against), and a channel of ten million
 * messages has 2,000 of them.
 */
export const BUCKET_SIZE = 5000;

/** @param ordinal of the message, from 1. */
export const bucketOf = (ordinal: number, size: number): number => Math.floor((ordinal - 1) / size);

export interface Tables {
  /** One row per message, partitioned by channel and bucket. */
  readonly messages: string;
  /** Per channel how far it has got, and one row per bucket with its first id. */
  readonly channels: string;
  /** All checkpoints in one partition, to be read and written at once. */
  readonly checkpoints: string;
}

const PREFIX = 'timeline_';

export const tablesOf = (generation: number): Tables => {
  if (!Number.isSafeInteger(generation) || generation < 1) throw new TypeError(`No generation: ${generation}`);
  return {
    messages: `${PREFIX}messages_g${generation}`,
    channels: `${PREFIX}channels_g${generation}`,
    checkpoints: `${PREFIX}checkpoints_g${generation}`,
  };
};

/** Levelled: a page of history is read from few files, and edits of old messages leave no long-lived pieces. */
const LEVELLED = `compaction = {'class': 'LeveledCompactionStrategy'}`;

const definitions = ({ messages, channels, checkpoints }: Tables): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS ${messages} (
     channel_id bigint, bucket int, id bigint,
     ordinal bigint, sequence bigint, position bigint, author bigint, time bigint, reply_to bigint, flags int, nonce text,
     edited_time bigint, mentions text, sealed_by bigint, box text, sealed_in text,
     deleted boolean, reactions map<text, bigint>, changed bigint,
     PRIMARY KEY ((channel_id, bucket), id)
   ) WITH CLUSTERING ORDER BY (id DESC) AND ${LEVELLED}`,
  `CREATE TABLE IF NOT EXISTS ${channels} (
     channel_id bigint, first_id bigint, bucket int, through bigint static, PRIMARY KEY (channel_id, first_id)
   ) WITH CLUSTERING ORDER BY (first_id DESC) AND ${LEVELLED}`,
  `CREATE TABLE IF NOT EXISTS ${checkpoints} (
     projection text, partition int, position bigint, PRIMARY KEY (projection, partition)
   ) WITH ${LEVELLED}`,
];

/** Leaves what is there as it is. Not to be called twice at once: Cassandra may then make two tables of one name. */
export const createGeneration = async (cassandra: Cassandra, generation: number): Promise<void> => {
  for (const statement of definitions(tablesOf(generation))) await cassandra.define(statement);
};

export const dropGeneration = async (cassandra: Cassandra, generation: number): Promise<void> => {
  const { messages, channels, checkpoints } = tablesOf(generation);
  for (const table of [messages, channels, checkpoints]) await cassandra.define(`DROP TABLE IF EXISTS ${table}`);
};

/** Generations whose tables are there, complete or not, oldest first. */
export const listGenerations = async (cassandra: Cassandra): Promise<readonly number[]> => {
  const rows = await cassandra.execute<{ table_name: string }>(
    'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?',
    [cassandra.keyspace],
  );
  const found = new Set<number>();
  for (const row of rows) {
    const generation = /^timeline_[a-z]+_g(\d+)$/.exec(row.table_name)?.[1];
    if (generation !== undefined) found.add(Number(generation));
  }
  return [...found].sort((a, b) => a - b);
};
