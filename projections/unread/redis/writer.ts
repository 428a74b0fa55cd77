import type { Redis } from '../../redis/index.ts';
import type { UnreadChange, UnreadWriter } from '../port.ts';
import { encode, partitionOfChange } from './changes.ts';
import type { Keys } from './keys.ts';
import { COMMIT } from './scripts.ts';

/** Where a partition stands, and from which checkpoint on it is whole. */
export interface Standing {
  readonly through: number;
  readonly whole: number;
}

const standing = ([through, whole]: readonly (string | null)[]): Standing => ({
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

  async standings(): Promise<readonly Standing[]> {
    const { redis, keys } = this;
    return Promise.all(
      Array.from({ length: keys.partitions }, async (_, partition) =>
        standing(await redis.run((client) => client.hmget(keys.at(partition), 'through', 'whole'))),
      ),
    );
  }

  /**
   * Stores changes of one partition and its new checkpoint, whole or not at all, where it stands at `from`.
   * @param whole `undefined`: as it is
   * @returns where it stands then; not at `through`: nothing was stored.
   */
  async commit(
    partition: number,
    changes: readonly UnreadChange[],
    { from, through, whole }: { readonly from: number; readonly through: number; readonly whole: number | undefined },
  ): Promise<Standing> {
    const { keys, args } = encode(this.keys, partition, changes);
    const moves = [String(from), String(through), whole === undefined ? '' : String(whole)];
    return standing(await this.redis.evaluate<string[]>(COMMIT, keys, [...moves, ...args]));
  }

  /** Leaves the checkpoints alone. One request for each partition, all at once. */
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
