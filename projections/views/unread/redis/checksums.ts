/** Checksums of a generation's streams, to compare with another generation's. */

import { createHash } from 'node:crypto';
import { channelStream, readStream } from '../../../../schemas/streams.ts';
import type { Redis } from '../../../../stores/redis/connection.ts';
import { Keys, type UnreadPlace } from './keys.ts';

// Keys, one set per generation: a rebuild fills a new set beside the one in use.

/** Generations with stored keys, complete or not, oldest first. */
export const listGenerations = async (redis: Redis, namespace: string): Promise<readonly number[]> => {
  const found = new Set<number>();
  const shape = new RegExp(`^\\{${namespace}:u(\\d+):`);
  for await (const { keys } of redis.scan(`{${namespace}:u*}:at`))
    for (const key of keys) {
      const generation = shape.exec(key)?.[1];
      if (generation !== undefined) found.add(Number(generation));
    }
  return [...found].sort((a, b) => a - b);
};

/** Nobody may write the generation any more, or keys come back. */
export const dropGeneration = async (redis: Redis, place: UnreadPlace): Promise<void> => {
  for await (const { server, keys } of redis.scan(new Keys(place).pattern)) {
    // Deletes keys one by one: in a cluster they are in many slots.
    await redis.run(() => Promise.all(keys.map((key) => server.unlink(key))));
  }
};

export interface StreamChecksum {
  /** `channel-<id>`: head, mentions, last post of each author. `read-<user>`: markers. */
  readonly stream: string;
  /**
   * The channel's last sequence; `undefined` if it changed meanwhile, which makes the rest meaningless. Always 0 for
   * markers, which do not record their position: if they differ, ask both again a little later.
   */
  readonly through: number | undefined;
  readonly count: number;
  /** Sixteen hexadecimal digits, independent of order. */
  readonly checksum: string;
}

const FIELDS = 500;

const hashOf = (text: string): bigint => createHash('sha256').update(text).digest().readBigUInt64BE();

const sum = (stream: string, through: number | undefined, lines: Iterable<string>): StreamChecksum => {
  let count = 0;
  let total = 0n;
  for (const line of lines) {
    count += 1;
    total += hashOf(line);
  }
  return { stream, through, count, checksum: BigInt.asUintN(64, total).toString(16).padStart(16, '0') };
};

/** Counts each field once, even if a scan of the growing hash returns it several times. */
const linesOf = async (redis: Redis, key: string, kind: string): Promise<readonly string[]> => {
  const lines = new Set<string>();
  let cursor = '0';
  do {
    const from = cursor;
    const [next, found] = await redis.run((client) => client.hscan(key, from, 'COUNT', FIELDS));
    for (let i = 0; i < found.length; i += 2) lines.add(`${kind} ${found[i]} ${found[i + 1]}`);
    cursor = next;
  } while (cursor !== '0');
  return [...lines];
};

const ofChannel = async (redis: Redis, keys: Keys, channelId: string): Promise<StreamChecksum> => {
  const head = await redis.run((client) => client.hmget(keys.head(channelId), 's', 'o', 'm', 'p'));
  const lines = [
    `head ${head.join(' ')}`,
    ...(await linesOf(redis, keys.own(channelId), 'own')),
    ...(await linesOf(redis, keys.targets(channelId), 'targets')),
    `mentions ${await redis.run((client) => client.zcard(keys.mentions(channelId)))}`,
  ];
  const sequence = await redis.run((client) => client.hget(keys.head(channelId), 's'));
  return sum(channelStream(channelId), sequence === head[0] ? Number(sequence ?? 0) : undefined, lines);
};

const ofUser = async (redis: Redis, keys: Keys, userId: string): Promise<StreamChecksum> =>
  sum(readStream(userId), 0, await linesOf(redis, keys.markers(userId), 'read'));

const KINDS: readonly (readonly [prefix: string, of: typeof ofChannel])[] = [
  [channelStream(''), ofChannel],
  [readStream(''), ofUser],
];

/** @param stream of a channel or of read markers @throws TypeError for any other stream, of which nothing is stored */
export const checksumOf = (redis: Redis, place: UnreadPlace, stream: string): Promise<StreamChecksum> => {
  for (const [prefix, of] of KINDS)
    if (stream.startsWith(prefix)) return of(redis, new Keys(place), stream.slice(prefix.length));
  throw new TypeError(`Nothing is kept of ${stream}`);
};

/** Sums of all streams, in no particular order; a stream may come twice. */
export async function* checksums(redis: Redis, place: UnreadPlace): AsyncGenerator<StreamChecksum> {
  for await (const { keys } of redis.scan(new Keys(place).pattern))
    for (const key of keys) {
      const [kind, id] = key.split('}:')[1]?.split(':') ?? [];
      if (id === undefined) continue;
      if (kind === 'head') yield await checksumOf(redis, place, channelStream(id));
      if (kind === 'read') yield await checksumOf(redis, place, readStream(id));
    }
}
