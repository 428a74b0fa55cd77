/** What carries the feed: fast, and free to lose, to delay and to repeat. */

export interface TransportListener {
  onMessage(partition: number, channel: string, text: string): void;
  /** Subscriptions are in place again after some were lost. */
  onReconnect(): void;
}

export interface FeedTransport {
  start(listener: TransportListener): void;
  /**
   * Resolves when what is published from then on arrives; rejects when that cannot be now. Asked for once, it is subscribed
   * whenever there is a connection, until `unsubscribe`; asking again makes sure.
   */
  subscribe(partition: number, channels: readonly string[]): Promise<void>;
  unsubscribe(partition: number, channels: readonly string[]): void;
  stop(): void;
}
