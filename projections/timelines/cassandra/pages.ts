/** Ranges of a channel's messages, from bucket to bucket. Deleted messages and half rows are passed over. */
import type { Cassandra } from './connection.ts';
import type { Tables } from './generations.ts';
import { MAX_ID } from './ids.ts';
import type { Places } from './places.ts';
import { COLUMNS, isWhole, type Row, type StoredRow } from './rows.ts';

/** Rows read at once where many are passed over. */
const LONGEST = 1000;

const isShown = (row: StoredRow): row is Row => isWhole(row) && row.deleted !== true;

export class Pages {
  private readonly cassandra: Cassandra;
  private readonly places: Places;
  private readonly before: string;
  private readonly after: string;

  constructor(cassandra: Cassandra, places: Places, { messages }: Tables) {
    this.cassandra = cassandra;
    this.places = places;
    const partition = `SELECT ${COLUMNS} FROM ${messages} WHERE channel_id = ? AND bucket = ?`;
    this.before = `${partition} AND id < ? LIMIT ?`;
    this.after = `${partition} AND id > ? ORDER BY id ASC LIMIT ?`;
  }

  /** Messages before `id`, newest first, from `bucket` downwards. */
  async older(channel: bigint, bucket: number | undefined, id: bigint, limit: number): Promise<readonly Row[]> {
    const found: Row[] = [];
    if (bucket === undefined) return found;
    let from = id;
    let length = limit;
    for (let current = bucket; found.length < limit && current >= 0; ) {
      const rows = await this.read(this.before, channel, current, from, length);
      for (const row of rows) if (isShown(row)) found.push(row);
      if (rows.length < length) current -= 1;
      else from = rows.at(-1)!.id;
      length = Math.min(length * 2, LONGEST);
    }
    return found.slice(0, limit);
  }

  /** Messages after `id`, oldest first, from `bucket` upwards. */
  async newer(channel: bigint, bucket: number | undefined, id: bigint, limit: number): Promise<readonly Row[]> {
    const found: Row[] = [];
    let from = id;
    let length = limit;
    let newest: number | undefined;
    for (let current = bucket ?? 0; found.length < limit; ) {
      const rows = await this.read(this.after, channel, current, from, length);
      for (const row of rows) if (isShown(row)) found.push(row);
      if (rows.length < length) {
        if (found.length >= limit) break;
        newest ??= (await this.places.bucketAt(channel, MAX_ID)) ?? 0;
        if (current >= newest) break;
        current += 1;
      } else from = rows.at(-1)!.id;
      length = Math.min(length * 2, LONGEST);
    }
    return found.slice(0, limit);
  }

  private read(query: string, channel: bigint, bucket: number, id: bigint, limit: number) {
    return this.cassandra.execute<StoredRow>(query, [channel, bucket, id, limit]);
  }
}
