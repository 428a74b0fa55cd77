import type { Redis } from '../../../../stores/redis/connection.ts';
import type { MentionTarget, UnreadChange, UnreadWriter } from '../view.ts';
import { COMMIT, type Keys } from './keys.ts';

// Turns changes into the script's input: the keys without duplicates, and arguments that name them by index.

/** A message that mentions everyone counts once. */
const mentioned = (targets: readonly MentionTarget[]): string =>
  targets.includes('everyone') ? 'everyone' : targets.join(' ');

interface Encoded {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** All changes must come from streams of one partition. */
const encode = (keys: Keys, partition: number, changes: readonly UnreadChange[]): Encoded => {
  const indexes = new Map<string, string>();
  const args: string[] = [];
  const indexOf = (key: string): string => {
    const known = indexes.get(key) ?? String(indexes.size + 1);
    indexes.set(key, known);
    return known;
  };
  indexOf(keys.at(partition));
  for (const change of changes) {
    const { channelId } = change;
    switch (change.kind) {
      case 'head': {
        const { sequence, position, posted } = change;
        args.push('head', indexOf(keys.head(channelId)), String(sequence), String(position));
        args.push(posted === null ? '' : String(posted.ordinal), posted?.messageId ?? '');
        break;
      }
      case 'read': {
        const { userId, ordinal, back } = change;
        if (change.own) {
          args.push('own', indexOf(keys.own(channelId)), userId, String(ordinal));
          break;
        }
        args.push(
          'read',
          indexOf(keys.markers(userId)),
          channelId,
          String(ordinal),
          back === undefined ? '' : String(back),
        );
        // The head in another partition may be behind this marker, which the command has already limited to the head.
        args.push(keys.partitionOfChannel(channelId) === partition ? indexOf(keys.head(channelId)) : '0');
        break;
      }
      case 'mentions':
        args.push('mentions', indexOf(keys.mentions(channelId)), indexOf(keys.targets(channelId)));
        args.push(String(change.ordinal), change.fresh ? '1' : '0', mentioned(change.targets));
        break;
    }
  }
  return { keys: [...indexes.keys()], args };
};

/** The partition of the stream that a change comes from. */
const partitionOfChange = (keys: Keys, change: UnreadChange): number =>
  change.kind === 'read' && !change.own
    ? keys.partitionOfUser(change.userId)
    : keys.partitionOfChannel(change.channelId);

/** A partition's checkpoint, and the checkpoint from which on it is complete. */
export interface Reached {
  readonly through: number;
  readonly whole: number;
}

const reached = ([through, whole]: readonly (string | null)[]): Reached => ({
  through: Number(through ?? 0),
  whole: Number(whole ?? 0),
});

export class RedisUnreadWriter implements UnreadWriter {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  async reached(): Promise<readonly Reached[]> {
    const { redis, keys } = this;
    return Promise.all(
      Array.from({ length: keys.partitions }, async (_, partition) =>
        reached(await redis.run((client) => client.hmget(keys.at(partition), 'through', 'whole'))),
      ),
    );
  }

  /**
   * Stores the changes of one partition and its new checkpoint atomically, if the partition is at `from`.
   * @param whole `undefined` leaves it as it is
   * @returns the checkpoint afterwards; nothing was stored if it is not `through`
   */
  async commit(
    partition: number,
    changes: readonly UnreadChange[],
    { from, through, whole }: { readonly from: number; readonly through: number; readonly whole: number | undefined },
  ): Promise<Reached> {
    const { keys, args } = encode(this.keys, partition, changes);
    const moves = [String(from), String(through), whole === undefined ? '' : String(whole)];
    return reached(await this.redis.evaluate<string[]>(COMMIT, keys, [...moves, ...args]));
  }

  /** Leaves the checkpoints alone. Sends one request per partition, all at once. */
  async apply(changes: readonly UnreadChange[]): Promise<void> {
    const byPartition = new Map<number, UnreadChange[]>();
    for (const change of changes) {
      const partition = partitionOfChange(this.keys, change);
      const own = byPartition.get(partition);
      if (own === undefined) byPartition.set(partition, [change]);
      else own.push(change);
    }
    await Promise.all(
      [...byPartition].map(async ([partition, own]) => {
        const { keys, args } = encode(this.keys, partition, own);
        await this.redis.evaluate(COMMIT, keys, ['', '', '', ...args]);
      }),
    );
  }
}
