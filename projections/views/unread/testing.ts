/** For specs: stories about reading and mentions. */
import fc from 'fast-check';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import type { Redis } from '../../../stores/redis/connection.ts';
import { dropNamed, randomName } from '../../../stores/redis/testing.ts';
import { partitionOf } from '../../engine/partitions.ts';
import { Story } from '../../testing.ts';
import { Keys } from './redis/keys.ts';
import { RedisUnreadRows } from './redis/reader.ts';
import { RedisUnreadStore } from './redis/store.ts';
import { RedisUnreadWriter } from './redis/writer.ts';

/** For specs: unread counts in their own namespace. */
export interface TestUnread {
  readonly namespace: string;
  readonly keys: Keys;
  readonly writer: RedisUnreadWriter;
  /** One for each process that reads or writes. */
  rows(): RedisUnreadRows;
  store(clock?: () => number): RedisUnreadStore;
  /** Removes every key, as when Redis loses its memory. */
  empty(): Promise<void>;
}

export const testUnread = (redis: Redis, partitions: number, logHead: () => number, generation = 1): TestUnread => {
  const namespace = randomName();
  const keys = new Keys({ namespace, generation, partitions });
  const writer = new RedisUnreadWriter(redis, keys);
  return {
    namespace,
    keys,
    writer,
    rows: () => new RedisUnreadRows(redis, keys),
    store: (clock = () => 0) => new RedisUnreadStore({ writer, logHead: async () => logHead(), clock }),
    empty: () => dropNamed(redis, namespace),
  };
};

/** The events of one partition beyond a position and up to another. */
export const eventsOf = (
  all: readonly ParleyEvent[],
  { partition, partitions, from, through }: { partition: number; partitions: number; from: number; through: number },
): readonly ParleyEvent[] =>
  all.slice(from, through).filter((event) => partitionOf(event.stream, partitions) === partition);

export const USERS = ['10', '11', '12'];
/** Nothing ever happens in the last one. */
export const CHANNELS = ['30', '31', '32', '404'];

export interface UnreadStep {
  readonly action: 'post' | 'edit' | 'remove' | 'remove all' | 'react' | 'read' | 'read all' | 'back';
  readonly user: number;
  readonly channel: number;
  readonly ordinal: number;
  readonly named: readonly number[];
  readonly everyone: boolean;
}

export const unreadStep: fc.Arbitrary<UnreadStep> = fc.record({
  action: fc.constantFrom(
    ...(['post', 'post', 'post', 'post', 'edit', 'remove', 'remove all'] as const),
    ...(['react', 'read', 'read', 'read all', 'back'] as const),
  ),
  user: fc.nat(2),
  channel: fc.nat(2),
  ordinal: fc.integer({ min: 1, max: 12 }),
  named: fc.uniqueArray(fc.nat(2), { maxLength: 2 }),
  everyone: fc.boolean(),
});

/** Events for the steps that are possible. As commands ensure, markers never pass the head, and only 'back' moves them back. */
export const tellUnread = (steps: readonly UnreadStep[], story = new Story()): Story => {
  const heads = new Map<string, number>();
  const markers = new Map<string, number>();
  const read = (userId: string, channels: readonly (readonly [channelId: string, ordinal: number])[]) => {
    const moved = channels.filter(([channelId, ordinal]) => ordinal > (markers.get(`${userId} ${channelId}`) ?? 0));
    for (const [channelId, ordinal] of moved) markers.set(`${userId} ${channelId}`, ordinal);
    if (moved.length > 0) story.read(userId, Object.fromEntries(moved));
  };
  for (const { action, user, channel, ordinal, named, everyone } of steps) {
    const userId = USERS[user]!;
    const channelId = CHANNELS[channel]!;
    const head = heads.get(channelId) ?? 0;
    const mentions = { users: named.map((n) => USERS[n]!), everyone };
    if (action === 'post') {
      heads.set(channelId, head + 1);
      story.post(channelId, userId, { mentions });
    } else if (action === 'read all') read(userId, [...heads]);
    else if (head === 0) continue;
    else if (action === 'back') {
      markers.set(`${userId} ${channelId}`, Math.min(ordinal, head) - 1);
      story.markUnread(userId, channelId, Math.min(ordinal, head) - 1, head);
    } else if (action === 'read') read(userId, [[channelId, Math.min(ordinal, head)]]);
    else if (ordinal > head) continue;
    else if (action === 'edit') story.edit(channelId, ordinal, userId, mentions);
    else if (action === 'remove') story.remove(channelId, ordinal, userId);
    else if (action === 'remove all')
      story.removeAll(channelId, ordinal === head ? [ordinal] : [ordinal, ordinal + 1], userId);
    else story.react(channelId, ordinal, userId, '👍');
  }
  return story;
};
