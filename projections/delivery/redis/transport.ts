import { Cluster } from 'ioredis';
import type { RedisClient } from '../../redis/index.ts';
import type { FeedTransport, TransportListener } from '../transport.ts';
import type { FeedNames } from './names.ts';

/** Channels of one command. */
const CHANNELS = 500;

const slices = (channels: readonly string[]): string[][] => {
  const parts: string[][] = [];
  for (let start = 0; start < channels.length; start += CHANNELS) parts.push(channels.slice(start, start + CHANNELS));
  return parts;
};

export class RedisFeedTransport implements FeedTransport {
  private readonly client: RedisClient;
  private readonly names: FeedNames;
  /** By partition; subscribed again after every reconnect. */
  private readonly wanted = new Map<number, Set<string>>();
  private listener: TransportListener | undefined;
  private connected = false;

  /** @param client of its own, for subscriptions only */
  constructor(client: RedisClient, names: FeedNames) {
    this.client = client;
    this.names = names;
  }

  start(listener: TransportListener): void {
    this.listener = listener;
    this.client.on('smessage', (name: string, text: string) => {
      const channel = this.names.parse(name);
      if (channel !== undefined) this.listener?.onMessage(channel.partition, channel.name, text);
    });
    this.client.on('ready', () => void this.renew());
    // A cluster's driver subscribes again by itself at the node that has the slot now.
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
    // What still arrives is ignored, and a connection that fails has no subscriptions left.
    for (const some of slices(names)) this.client.sunsubscribe(...some).catch(() => {});
  }

  /** Nothing is subscribed on a new connection. */
  private async renew(): Promise<void> {
    const again = this.connected;
    this.connected = true;
    try {
      await Promise.all([...this.wanted].map(([partition, channels]) => this.ask(partition, [...channels])));
      if (again) this.listener?.onReconnect();
    } catch {
      // The connection that comes next is renewed too; until then the reader finds that nothing arrives.
    }
  }

  stop(): void {
    this.listener = undefined;
    this.client.disconnect();
  }
}
