/**
 * Tables, one set per generation. A rebuild fills a new set beside the one in use and never reuses an old one: once the
 * store has forgotten a deletion (after `gc_grace_seconds`), a repeated older write would reappear.
 * Every write and deletion of rows has its event's sequence as its timestamp, so the newest wins in whatever order they
 * arrive. A write that used the clock instead would hide all later events.
 */
import type { Cassandra } from '../../../../stores/cassandra/connection.ts';

/** Ids as stored: signed 64-bit numbers. */
export const MAX_ID = 2n ** 63n - 1n;

/** `undefined` for a text that is no valid id: leading zeros, or larger than the maximum. */
export const idOf = (id: string): bigint | undefined => {
  if (id.length > 1 && id.charCodeAt(0) === 48) return undefined;
  const value = BigInt(id);
  return value <= MAX_ID ? value : undefined;
};

/** An id that only bounds a range and need not exist. */
export const boundOf = (id: string): bigint => {
  const value = BigInt(id);
  return value <= MAX_ID ? value : MAX_ID;
};

/**
 * Messages per channel in one partition. A row of 100 characters takes 0.5 KB, one of 2,000 (the most) up to 11 KB. A
 * partition has 2.5 MB, at the very worst 55 MB (both stores advise against more than 100 MB). A channel of ten million
 * messages has 2,000 partitions.
 */
export const BUCKET_SIZE = 5000;

/** @param ordinal of the message, from 1 */
export const bucketOf = (ordinal: number, size: number): number => Math.floor((ordinal - 1) / size);

export interface Tables {
  /** One row per message, partitioned by channel and bucket. */
  readonly messages: string;
  /** Per channel: its progress, and one row per bucket with its first id. */
  readonly channels: string;
  /** All checkpoints in one partition, to be read and written together. */
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

/**
 * Levelled compaction: a page of history comes from few files, and edits of old messages leave no long-lived fragments.
 */
const LEVELLED = `compaction = {'class': 'LeveledCompactionStrategy'}`;

const COLUMNS: Readonly<Record<keyof Tables, string>> = {
  messages: `(
     channel_id bigint, bucket int, id bigint,
     ordinal bigint, sequence bigint, position bigint, author bigint, time bigint, type int, reply_to bigint, flags int, nonce text,
     edited_time bigint, mentions text, sealed_by bigint, box text, sealed_in text,
     deleted boolean, reactions map<text, bigint>, cleared map<text, bigint>, changed bigint,
     PRIMARY KEY ((channel_id, bucket), id)
   ) WITH CLUSTERING ORDER BY (id DESC) AND ${LEVELLED}`,
  channels: `(
     channel_id bigint, first_id bigint, bucket int, through bigint static, PRIMARY KEY (channel_id, first_id)
   ) WITH CLUSTERING ORDER BY (first_id DESC) AND ${LEVELLED}`,
  checkpoints: `(
     projection text, partition int, position bigint, PRIMARY KEY (projection, partition)
   ) WITH ${LEVELLED}`,
};

/** Columns added after the first version of the tables: a generation without them gets them. */
const LATER = [
  { name: 'type', type: 'int' },
  { name: 'cleared', type: 'map<text, bigint>' },
] as const;

const tablesThere = async (cassandra: Cassandra): Promise<readonly string[]> => {
  const rows = await cassandra.execute<{ table_name: string }>(
    'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?',
    [cassandra.keyspace],
  );
  return rows.map((row) => row.table_name);
};

const columnsOf = async (cassandra: Cassandra, table: string): Promise<readonly string[]> => {
  const rows = await cassandra.execute<{ column_name: string }>(
    'SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?',
    [cassandra.keyspace, table],
  );
  return rows.map((row) => row.column_name);
};

/** Keeps existing rows. Must not run twice at once: Cassandra may then create two tables of the same name. */
export const createGeneration = async (cassandra: Cassandra, generation: number): Promise<void> => {
  const tables = tablesOf(generation);
  for (const table of ['messages', 'channels', 'checkpoints'] as const)
    await cassandra.define(`CREATE TABLE IF NOT EXISTS ${tables[table]} ${COLUMNS[table]}`, async () =>
      (await tablesThere(cassandra)).includes(tables[table]),
    );
  const there = await columnsOf(cassandra, tables.messages);
  for (const { name, type } of LATER.filter((column) => !there.includes(column.name)))
    await cassandra.define(`ALTER TABLE ${tables.messages} ADD ${name} ${type}`, async () =>
      (await columnsOf(cassandra, tables.messages)).includes(name),
    );
};

export const dropGeneration = async (cassandra: Cassandra, generation: number): Promise<void> => {
  for (const table of Object.values(tablesOf(generation)))
    await cassandra.define(
      `DROP TABLE IF EXISTS ${table}`,
      async () => !(await tablesThere(cassandra)).includes(table),
    );
};

/** Generations that have tables, complete or not, oldest first. */
export const listGenerations = async (cassandra: Cassandra): Promise<readonly number[]> => {
  const found = new Set<number>();
  for (const table of await tablesThere(cassandra)) {
    const generation = /^timeline_[a-z]+_g(\d+)$/.exec(table)?.[1];
    if (generation !== undefined) found.add(Number(generation));
  }
  return [...found].sort((a, b) => a - b);
};

interface BucketPlace {
  /** `undefined` before the channel's first message. */
  readonly bucket: number | undefined;
  /** The channel's progress when, or before, the bucket was read. */
  readonly through: number;
}

interface Start {
  readonly first_id: bigint;
  readonly bucket: number;
}

/** Finds the bucket of a message. A channel's buckets are numbered from 0 without gaps, and ids grow with them. */
export class Places {
  private readonly cassandra: Cassandra;
  private readonly at: string;
  private readonly between: string;
  private readonly through: string;

  constructor(cassandra: Cassandra, { channels }: Tables) {
    this.cassandra = cassandra;
    this.at = `SELECT bucket, through FROM ${channels} WHERE channel_id = ? AND first_id <= ? LIMIT 1`;
    this.between = `SELECT first_id, bucket FROM ${channels} WHERE channel_id = ? AND first_id > ? AND first_id <= ?`;
    this.through = `SELECT through FROM ${channels} WHERE channel_id = ? LIMIT 1`;
  }

  /** The bucket that holds, or would hold, a message of this id. */
  async bucketAt(channel: bigint, id: bigint): Promise<number | undefined> {
    return (await this.found(channel, id))?.bucket;
  }

  async placeOf(channel: bigint, id: bigint): Promise<BucketPlace> {
    const row = await this.found(channel, id);
    if (row !== undefined) return { bucket: row.bucket, through: Number(row.through ?? 0n) };
    // The progress is read first: read afterwards, it could count in a first message that was not there yet.
    const through = await this.throughOf(channel);
    return { bucket: (await this.found(channel, id))?.bucket, through };
  }

  private async found(channel: bigint, id: bigint) {
    return (await this.cassandra.execute<{ bucket: number; through: bigint | null }>(this.at, [channel, id]))[0];
  }

  async throughOf(channel: bigint): Promise<number> {
    const rows = await this.cassandra.execute<{ through: bigint | null }>(this.through, [channel]);
    return Number(rows[0]?.through ?? 0n);
  }

  /** Groups ids by bucket; leaves out those before the first message. */
  async bucketsOf(channel: bigint, ids: readonly bigint[]): Promise<ReadonlyMap<number, readonly bigint[]>> {
    const ascending = [...new Set(ids)].sort((a, b) => (a < b ? -1 : 1));
    const lowest = ascending[0];
    const highest = ascending.at(-1);
    if (lowest === undefined || highest === undefined) return new Map();
    const [first, later] = await Promise.all([this.bucketAt(channel, lowest), this.starts(channel, lowest, highest)]);
    const found = new Map<number, bigint[]>();
    let bucket = first;
    let next = 0;
    for (const id of ascending) {
      for (let start = later[next]; start !== undefined && start.first_id <= id; start = later[++next])
        bucket = start.bucket;
      if (bucket === undefined) continue;
      const list = found.get(bucket);
      if (list === undefined) found.set(bucket, [id]);
      else list.push(id);
    }
    return found;
  }

  /** Buckets that start beyond `after`, up to `last`, in order. */
  private async starts(channel: bigint, after: bigint, last: bigint) {
    if (after === last) return [];
    const rows = await this.cassandra.execute<Start>(this.between, [channel, after, last]);
    return [...rows].reverse();
  }
}
