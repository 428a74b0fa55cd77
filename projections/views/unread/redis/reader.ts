import { StoreUnavailable } from '../../../../schemas/errors.ts';
import type { Redis, Script } from '../../../../stores/redis/connection.ts';
import type { ChannelHead, CountedChannel, ReadState, UnreadRows } from '../view.ts';
import { HEADS, type Keys, MARKERS, OWN, STATES } from './keys.ts';
import type { Reached } from './writer.ts';

const RETRY_SECONDS = 1;

/** The store holds less than it is known to have held, or is still being filled. */
class NotWhole extends StoreUnavailable {
  constructor() {
    super('unread', RETRY_SECONDS);
  }
}

/** Whether a store can be trusted: an emptied one counts too few messages until it is filled again. */
export class Wholeness {
  /** The highest position at which each partition was ever seen. */
  private readonly seen = new Map<number, number>();

  /** @throws NotWhole */
  check(partition: number, { through, whole }: Reached): void {
    const seen = this.seen.get(partition) ?? 0;
    if (through > seen) this.seen.set(partition, through);
    // 0: nothing was ever stored, or everything was lost.
    if (through === 0 || through < whole || through < seen) throw new NotWhole();
  }
}

/** Channels per script call, which keeps Redis busy for half a millisecond. */
const CHANNELS = 250;

type Text = string | null;

interface Part {
  readonly partition: number;
  readonly channelIds: readonly string[];
}

/**
 * Channels of several partitions are each read at their own moment, and the markers before all of them: the result is
 * what a user would see who asked when the markers were read and then got newer heads. Everything throws `NotWhole`
 * while the store is being filled.
 */
export class RedisUnreadRows implements UnreadRows {
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly wholeness = new Wholeness();

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  async head(channelId: string): Promise<ChannelHead> {
    return (await this.heads([channelId])).get(channelId)!;
  }

  async heads(channelIds: readonly string[]): Promise<ReadonlyMap<string, ChannelHead>> {
    const found = await this.each(channelIds, async ({ partition, channelIds: ids }) => {
      const keys = ids.map((id) => this.keys.head(id));
      return this.ask<readonly [Text, Text, Text, Text]>(HEADS, partition, keys, []);
    });
    return new Map(
      channelIds.map((channelId) => {
        const [ordinal, messageId, sequence, position] = found.get(channelId)!;
        return [
          channelId,
          {
            channelId,
            ordinal: Number(ordinal ?? 0),
            messageId,
            sequence: Number(sequence ?? 0),
            position: Number(position ?? 0),
          },
        ];
      }),
    );
  }

  async unmarked(userId: string, channelIds: readonly string[]): Promise<readonly string[]> {
    const markers = await this.markers(userId, channelIds);
    const rest = channelIds.filter((channelId) => !markers.has(channelId));
    const own = await this.each(rest, async ({ partition, channelIds: ids }) => {
      const keys = ids.map((id) => this.keys.own(id));
      return this.ask<Text>(OWN, partition, keys, [userId]);
    });
    return rest.filter((channelId) => own.get(channelId) === null);
  }

  async states(userId: string, channels: readonly CountedChannel[]): Promise<readonly ReadState[]> {
    const ids = channels.map(({ channelId }) => channelId);
    const counted = new Map(channels.map((channel) => [channel.channelId, channel]));
    const markers = await this.markers(userId, ids);
    const found = await this.each(ids, async ({ partition, channelIds }) => {
      const keys = channelIds.flatMap((id) => [this.keys.head(id), this.keys.own(id), this.keys.mentions(id)]);
      const args = channelIds.flatMap((id) => {
        const { floor, roles = [] } = counted.get(id)!;
        return [markers.get(id) ?? '', String(floor), roles.join(' ')];
      });
      return this.ask<readonly [number, Text, number, number]>(STATES, partition, keys, [userId, ...args]);
    });
    return ids.map((channelId) => {
      const [ordinal, lastMessageId, readOrdinal, mentions] = found.get(channelId)!;
      return { channelId, readOrdinal, unread: ordinal - readOrdinal, mentions, lastMessageId };
    });
  }

  /** As they are stored: see `keep-counts.lua`. */
  private async markers(userId: string, channelIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const markers = new Map<string, string>();
    const partition = this.keys.partitionOfUser(userId);
    await Promise.all(
      pieces(channelIds).map(async (ids) => {
        const [found] = await this.ask<readonly Text[]>(MARKERS, partition, [this.keys.markers(userId)], ids);
        for (const [i, id] of ids.entries()) {
          const marker = found![i];
          if (marker != null) markers.set(id, marker);
        }
      }),
    );
    return markers;
  }

  /** @returns the result of `ask` for each channel */
  private async each<T>(
    channelIds: readonly string[],
    ask: (part: Part) => Promise<readonly T[]>,
  ): Promise<ReadonlyMap<string, T>> {
    const byPartition = new Map<number, string[]>();
    for (const channelId of channelIds) {
      const partition = this.keys.partitionOfChannel(channelId);
      const ids = byPartition.get(partition);
      if (ids === undefined) byPartition.set(partition, [channelId]);
      else ids.push(channelId);
    }
    const parts = [...byPartition].flatMap(([partition, ids]) =>
      pieces(ids).map((channelIds) => ({ partition, channelIds })),
    );
    const found = new Map<string, T>();
    await Promise.all(
      parts.map(async (part) => {
        const answers = await ask(part);
        for (const [i, channelId] of part.channelIds.entries()) found.set(channelId, answers[i]!);
      }),
    );
    return found;
  }

  /** @throws NotWhole, StoreUnavailable */
  private async ask<T>(
    script: Script,
    partition: number,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<readonly T[]> {
    const all = [this.keys.at(partition), ...keys];
    const [at, ...answers] = await this.redis.evaluate<[readonly Text[], ...T[]]>(script, all, args);
    this.wholeness.check(partition, { through: Number(at[0] ?? 0), whole: Number(at[1] ?? 0) });
    return answers;
  }
}

const pieces = (ids: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(ids.length / CHANNELS) }, (_, n) => ids.slice(n * CHANNELS, (n + 1) * CHANNELS));
