import { Cluster } from 'ioredis';
import type { Redis, RedisClient } from '../../stores/redis/connection.ts';
import type { FeedChannel } from './channels.ts';
import type { OwnFeed } from './own-feed.ts';
import type { FeedPublisher, FeedTransport, SignalPublisher, TransportListener } from './port.ts';
import { ChainedPublisher, type SendMessages } from './publish.ts';
import { signalsThrough } from './signals.ts';
import { type NamedMessage, sentTogether } from './together.ts';

/** Redis names of the feed's channels. All channels of a partition share a slot, so their messages stay in order. */
export class FeedNames {
  private readonly prefix: string;

  /** @param namespace of one Parley on a Redis that others may use too; without braces */
  constructor(namespace: string) {
    this.prefix = `{${namespace}:feed:`;
  }

  of(partition: number, channel: string): string {
    return `${this.prefix}${partition}}:${channel}`;
  }

  /** `undefined` for a foreign name. */
  parse(name: string): FeedChannel | undefined {
    const brace = name.indexOf('}:', this.prefix.length);
    if (brace === -1 || !name.startsWith(this.prefix)) return undefined;
    return { partition: Number(name.slice(this.prefix.length, brace)), name: name.slice(brace + 2) };
  }
}

/** Fails within the connection's time-out, and at once while there is no connection. */
const published = async (client: RedisClient, messages: readonly NamedMessage[]): Promise<(Error | null)[]> => {
  const pipeline = client.pipeline();
  for (const { name, text } of messages) pipeline.spublish(name, text);
  return ((await pipeline.exec()) ?? []).map(([failure]) => failure);
};

/**
 * Publishes each batch in one pipeline: on a single server with those of the other partitions, in a cluster alone, since
 * a partition's channels have a slot of their own.
 * @param client of its own: commands of other users would come in between
 */
const sendOn = (client: RedisClient, names: FeedNames, own: OwnFeed | undefined): SendMessages => {
  const send = async (messages: readonly NamedMessage[]): Promise<void> => {
    for (const failure of await published(client, messages)) if (failure !== null) throw failure;
  };
  const publish = client instanceof Cluster ? send : sentTogether((messages) => published(client, messages));
  return (partition, messages) => {
    own?.publish(partition, messages);
    return publish(messages.map(({ channel, text }) => ({ name: names.of(partition, channel), text })));
  };
};

/** Channels per command. */
const CHANNELS = 500;

const slices = (channels: readonly string[]): string[][] => {
  const parts: string[][] = [];
  for (let start = 0; start < channels.length; start += CHANNELS) parts.push(channels.slice(start, start + CHANNELS));
  return parts;
};

class RedisFeedTransport implements FeedTransport {
  private readonly client: RedisClient;
  private readonly names: FeedNames;
  private readonly own: OwnFeed | undefined;
  /** By partition; subscribed again after every reconnect. */
  private readonly wanted = new Map<number, Set<string>>();
  private listener: TransportListener | undefined;
  private connected = false;

  /** @param client of its own, for subscriptions only */
  constructor(client: RedisClient, names: FeedNames, own: OwnFeed | undefined) {
    this.client = client;
    this.names = names;
    this.own = own;
  }

  start(listener: TransportListener): void {
    this.listener = listener;
    this.client.on('smessage', (name: string, text: string) => {
      const channel = this.names.parse(name);
      if (channel === undefined || this.own?.isKnown(channel.partition, channel.name, text)) return;
      this.listener?.onMessage(channel.partition, channel.name, text);
    });
    this.client.on('ready', () => void this.renew());
    // The cluster driver itself subscribes again at the node that now has the slot.
    if (this.client instanceof Cluster) this.client.on('subscribersReady', () => this.listener?.onReconnect());
    if (this.ready) void this.renew();
  }

  private get ready(): boolean {
    return this.client.status === 'ready';
  }

  async subscribe(partition: number, channels: readonly string[]): Promise<void> {
    const wanted = this.wanted.get(partition) ?? new Set();
    this.wanted.set(partition, wanted);
    for (const channel of channels) wanted.add(channel);
    await this.ask(partition, channels);
  }

  /** @throws at once while there is no connection */
  private async ask(partition: number, channels: readonly string[]): Promise<void> {
    if (!this.ready) throw new Error('Redis is not connected');
    const names = channels.map((channel) => this.names.of(partition, channel));
    await Promise.all(slices(names).map((some) => this.client.ssubscribe(...some)));
  }

  unsubscribe(partition: number, channels: readonly string[]): void {
    for (const channel of channels) this.wanted.get(partition)?.delete(channel);
    if (!this.ready) return;
    const names = channels.map((channel) => this.names.of(partition, channel));
    // Messages that still arrive are ignored, and a failed connection has no subscriptions left.
    for (const some of slices(names)) this.client.sunsubscribe(...some).catch(() => {});
  }

  /** A new connection has no subscriptions. */
  private async renew(): Promise<void> {
    const again = this.connected;
    this.connected = true;
    try {
      await Promise.all([...this.wanted].map(([partition, channels]) => this.ask(partition, [...channels])));
      if (again) this.listener?.onReconnect();
    } catch {
      // The next connection subscribes again too; until then the reader notices that nothing arrives.
    }
  }

  stop(): void {
    this.listener = undefined;
    this.client.disconnect();
  }
}

// The delivery feed on Redis sharded pub/sub.

/** For a projector. Has its own connection. @param own of the gateway in the same process, if there is one */
export const openFeedPublisher = (redis: Redis, namespace: string, own?: OwnFeed): FeedPublisher =>
  new ChainedPublisher(sendOn(redis.publisher('feed-publisher'), new FeedNames(namespace), own));

/**
 * For a gateway. Has its own connection, which closes when the reader stops.
 * @param own of the projector in the same process, if there is one
 */
export const openFeedTransport = (redis: Redis, namespace: string, own?: OwnFeed): FeedTransport =>
  new RedisFeedTransport(redis.subscriber('feed'), new FeedNames(namespace), own);

/** For processes that serve clients. @param partitions of the distribution log */
export const openSignalPublisher = (redis: Redis, namespace: string, partitions: number): SignalPublisher => {
  const names = new FeedNames(namespace);
  return signalsThrough(partitions, ({ partition, name }, text) => {
    // It is worthless later.
    redis.run((client) => client.spublish(names.of(partition, name), text)).catch(() => {});
  });
};
