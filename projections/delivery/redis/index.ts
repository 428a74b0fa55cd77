/** The delivery feed on Redis' sharded pub/sub. */
import type { Redis } from '../../redis/index.ts';
import type { FeedPublisher, TypingPublisher } from '../port.ts';
import type { FeedTransport } from '../transport.ts';
import { FeedNames } from './names.ts';
import { RedisFeedPublisher } from './publisher.ts';
import { RedisFeedTransport } from './transport.ts';
import { RedisTypingPublisher } from './typing.ts';

/** For a projector. On a connection of its own. */
export const openFeedPublisher = (redis: Redis, namespace: string): FeedPublisher =>
  new RedisFeedPublisher(redis.publisher('feed-publisher'), new FeedNames(namespace));

/** For a gateway. On a connection of its own, which ends when the reader stops. */
export const openFeedTransport = (redis: Redis, namespace: string): FeedTransport =>
  new RedisFeedTransport(redis.subscriber('feed'), new FeedNames(namespace));

/** For whoever takes typing over HTTP or sockets. @param partitions of the distribution log */
export const openTypingPublisher = (redis: Redis, namespace: string, partitions: number): TypingPublisher =>
  new RedisTypingPublisher(redis, new FeedNames(namespace), partitions);
