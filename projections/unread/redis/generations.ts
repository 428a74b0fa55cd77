/** Keys, one set per generation: a rebuild builds a new set beside the one that is read. */
import type { Redis } from '../../redis/index.ts';
import { Keys, type UnreadPlace } from './keys.ts';

/** Generations of which something is stored, complete or not, oldest first. */
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

/** Nobody may write it any more, or keys come back. */
export const dropGeneration = async (redis: Redis, place: UnreadPlace): Promise<void> => {
  for await (const { server, keys } of redis.scan(new Keys(place).pattern)) {
    // One by one: in a cluster they are of many slots.
    await redis.run(() => Promise.all(keys.map((key) => server.unlink(key))));
  }
};
