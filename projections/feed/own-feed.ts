/**
 * What this process publishes, for its own gateway: it arrives there at once, as it is. What Redis brings of it later is passed
 * over. Whatever is not recognized is read as any other message, and changes nothing.
 */

import type { FeedMessage } from './publish.ts';

/** Messages of one partition that Redis has not brought yet. It never brings those of channels that nobody here listens to. */
const MOST_UNDER_WAY = 1000;

export class OwnFeed {
  private listener: ((partition: number, message: FeedMessage) => void) | undefined;
  /** By partition, in the order in which they were published. */
  private readonly underWay = new Map<number, FeedMessage[]>();

  start(listener: (partition: number, message: FeedMessage) => void): void {
    this.listener = listener;
  }

  stop(): void {
    this.listener = undefined;
    this.underWay.clear();
  }

  publish(partition: number, messages: readonly FeedMessage[]): void {
    if (this.listener === undefined) return;
    const sent = this.underWay.get(partition) ?? [];
    this.underWay.set(partition, sent);
    sent.push(...messages);
    if (sent.length > MOST_UNDER_WAY) sent.splice(0, sent.length - MOST_UNDER_WAY);
    for (const message of messages) this.listener?.(partition, message);
  }

  /** Redis brings a message. @returns whether it is one of this process, and so has arrived already */
  isKnown(partition: number, channel: string, text: string): boolean {
    const sent = this.underWay.get(partition);
    if (sent === undefined) return false;
    const index = sent.findIndex((message) => message.channel === channel && message.text === text);
    // Messages of a partition arrive in order, so those before it were lost or are not for this gateway.
    sent.splice(0, index + 1);
    return index !== -1;
  }
}
