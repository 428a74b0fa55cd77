import type { Redis } from '../../redis/index.ts';
import { channelFeed } from '../channels.ts';
import { encodeTyping } from '../messages.ts';
import type { TypingPublisher, TypingTold } from '../port.ts';
import type { FeedNames } from './names.ts';

/** Goes where the channel's messages go, so gateways hear it that have somebody to tell. */
export class RedisTypingPublisher implements TypingPublisher {
  private readonly redis: Redis;
  private readonly names: FeedNames;
  private readonly partitions: number;

  constructor(redis: Redis, names: FeedNames, partitions: number) {
    this.redis = redis;
    this.names = names;
    this.partitions = partitions;
  }

  typing(typing: TypingTold): void {
    const { partition, name } = channelFeed(typing.channelId, this.partitions);
    const text = encodeTyping(typing);
    // Who types is of no interest later.
    this.redis.run((client) => client.spublish(this.names.of(partition, name), text)).catch(() => {});
  }
}
