/** Checksums of a generation's channels, to compare with another generation's. */

import { createHash } from 'node:crypto';
import type { Cassandra } from '../../../../stores/cassandra/connection.ts';
import { COLUMNS, isWhole, messageOf, reactionsIn, type StoredRow } from './rows.ts';
import { MAX_ID, Places, tablesOf } from './tables.ts';

export interface ChannelChecksum {
  readonly channelId: string;
  /**
   * The channel's progress while its rows were read; `undefined` if it changed meanwhile, which makes the rest
   * meaningless.
   */
  readonly through: number | undefined;
  /** Number of messages, including deleted ones. */
  readonly count: number;
  /** Sixteen hexadecimal digits, independent of row order. */
  readonly checksum: string;
}

interface Found {
  readonly channel_id: bigint;
  readonly place: bigint;
}

const ROWS = 500;
const CHANNELS = 8;

/** Includes each reaction's sequence, which a page does not show. */
const hashOf = (channelId: string, row: StoredRow): bigint => {
  if (!isWhole(row)) return 0n;
  const { reactions: _, ...message } = messageOf(channelId, row, '');
  const reactions = [...reactionsIn(row)].map(([key, sequence]) => `${key} ${sequence}`).sort();
  return createHash('sha256')
    .update(JSON.stringify([message, reactions]))
    .digest()
    .readBigUInt64BE();
};

/** A channel's rows, newest first. */
async function* rowsOf(cassandra: Cassandra, generation: number, channel: bigint): AsyncGenerator<StoredRow> {
  const tables = tablesOf(generation);
  const places = new Places(cassandra, tables);
  const page = `SELECT ${COLUMNS} FROM ${tables.messages} WHERE channel_id = ? AND bucket = ? AND id < ? LIMIT ${ROWS}`;
  for (let bucket = (await places.bucketAt(channel, MAX_ID)) ?? -1; bucket >= 0; bucket -= 1) {
    for (let before = MAX_ID, length = ROWS; length === ROWS; ) {
      const rows = await cassandra.execute<StoredRow>(page, [channel, bucket, before]);
      yield* rows;
      length = rows.length;
      before = rows.at(-1)?.id ?? before;
    }
  }
}

/** One channel's checksum, read bucket by bucket. */
export const checksumOf = async (
  cassandra: Cassandra,
  generation: number,
  channelId: string,
): Promise<ChannelChecksum> => {
  const places = new Places(cassandra, tablesOf(generation));
  const channel = BigInt(channelId);
  const through = await places.throughOf(channel);
  let count = 0;
  let sum = 0n;
  for await (const row of rowsOf(cassandra, generation, channel)) {
    if (isWhole(row)) count += 1;
    sum += hashOf(channelId, row);
  }
  return {
    channelId,
    through: (await places.throughOf(channel)) === through ? through : undefined,
    count,
    checksum: BigInt.asUintN(64, sum).toString(16).padStart(16, '0'),
  };
};

const lastChange = ({ sequence, changed }: StoredRow): bigint => {
  const [posted, later] = [sequence ?? 0n, changed ?? 0n];
  return posted > later ? posted : later;
};

/**
 * Messages of a channel that differ between two generations, however fast the channel is written to: rows that changed
 * beyond the position that both have reached are left out.
 * @returns their ids, newest first
 */
export const differingMessages = async (
  cassandra: Cassandra,
  [one, other]: readonly [number, number],
  channelId: string,
): Promise<readonly string[]> => {
  const channel = BigInt(channelId);
  const throughOf = (generation: number) => new Places(cassandra, tablesOf(generation)).throughOf(channel);
  const through = BigInt(Math.min(await throughOf(one), await throughOf(other)));
  const settled = (row: StoredRow | undefined) => row === undefined || lastChange(row) <= through;
  const differing: string[] = [];
  const sides = [rowsOf(cassandra, one, channel), rowsOf(cassandra, other, channel)] as const;
  const next = async (side: AsyncGenerator<StoredRow>) => (await side.next()).value as StoredRow | undefined;
  let [a, b] = await Promise.all([next(sides[0]), next(sides[1])]);
  while (a !== undefined || b !== undefined) {
    const id = a === undefined || (b !== undefined && b.id > a.id) ? b!.id : a.id;
    const [ofOne, ofOther] = [a?.id === id ? a : undefined, b?.id === id ? b : undefined];
    if (settled(ofOne) && settled(ofOther)) {
      const same =
        ofOne !== undefined && ofOther !== undefined && hashOf(channelId, ofOne) === hashOf(channelId, ofOther);
      if (!same) differing.push(String(id));
    }
    if (ofOne !== undefined) a = await next(sides[0]);
    if (ofOther !== undefined) b = await next(sides[1]);
  }
  return differing;
};

/**
 * Checksums of all channels in token order, which is the same in every generation. A channel that is written to during
 * the read has no `through`: ask again for that one. If both generations report the same `through`, they agree if count
 * and checksum are equal.
 */
export async function* checksums(cassandra: Cassandra, generation: number): AsyncGenerator<ChannelChecksum> {
  const { channels } = tablesOf(generation);
  const page = `SELECT DISTINCT channel_id, token(channel_id) AS place FROM ${channels}
    WHERE token(channel_id) > ? LIMIT ${CHANNELS}`;
  const first = `SELECT DISTINCT channel_id, token(channel_id) AS place FROM ${channels} LIMIT ${CHANNELS}`;
  let rows = await cassandra.execute<Found>(first, []);
  while (rows.length > 0) {
    yield* await Promise.all(rows.map((row) => checksumOf(cassandra, generation, String(row.channel_id))));
    rows = await cassandra.execute<Found>(page, [rows.at(-1)!.place]);
  }
}
