/** In which bucket a message is. Buckets of a channel are numbered from 0 without gaps, and ids grow with them. */
import type { Cassandra } from './connection.ts';
import type { Tables } from './generations.ts';

export interface Place {
  /** `undefined` before the channel's first message. */
  readonly bucket: number | undefined;
  /** How far the channel had got when, or before, the bucket was read. */
  readonly through: number;
}

interface Start {
  readonly first_id: bigint;
  readonly bucket: number;
}

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

  async placeOf(channel: bigint, id: bigint): Promise<Place> {
    const row = await this.found(channel, id);
    if (row !== undefined) return { bucket: row.bucket, through: Number(row.through ?? 0n) };
    return { bucket: undefined, through: await this.throughOf(channel) };
  }

  private async found(channel: bigint, id: bigint) {
    return (await this.cassandra.execute<{ bucket: number; through: bigint | null }>(this.at, [channel, id]))[0];
  }

  async throughOf(channel: bigint): Promise<number> {
    const rows = await this.cassandra.execute<{ through: bigint | null }>(this.through, [channel]);
    return Number(rows[0]?.through ?? 0n);
  }

  /** Ids by the bucket they are in; those before the first message are left out. */
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
