/**
 * What this process publishes, for its own gateway: it arrives there at once, as it is. What Redis brings of it later is passed
 * over. Whatever is not recognized is read as any other message, and changes nothing.
 */

import { BUDGETS } from '../../stores/budgets.ts';
import type { FeedMessage } from './publish.ts';

const { count: COUNT, bytes: BYTES } = BUDGETS.feed.underWay;

/** The messages of a partition that Redis has not brought yet, in the order in which they were published. */
class UnderWay {
  private readonly messages: Pick<FeedMessage, 'channel' | 'text'>[] = [];
  private bytes = 0;

  add({ channel, text }: FeedMessage): void {
    this.messages.push({ channel, text });
    this.bytes += text.length;
    while (this.messages.length > COUNT || this.bytes > BYTES) this.drop(1);
  }

  /** @returns whether it was under way. Messages arrive in order, so those before it were lost or are not for this gateway. */
  arrived(channel: string, text: string): boolean {
    const index = this.messages.findIndex((message) => message.channel === channel && message.text === text);
    this.drop(index + 1);
    return index !== -1;
  }

  private drop(count: number): void {
    for (const { text } of this.messages.splice(0, count)) this.bytes -= text.length;
  }
}

export class OwnFeed {
  private listener: ((partition: number, message: FeedMessage) => void) | undefined;
  private readonly underWay = new Map<number, UnderWay>();

  start(listener: (partition: number, message: FeedMessage) => void): void {
    this.listener = listener;
  }

  stop(): void {
    this.listener = undefined;
    this.underWay.clear();
  }

  publish(partition: number, messages: readonly FeedMessage[]): void {
    if (this.listener === undefined) return;
    const underWay = this.underWay.get(partition) ?? new UnderWay();
    this.underWay.set(partition, underWay);
    for (const message of messages) underWay.add(message);
    for (const message of messages) this.listener?.(partition, message);
  }

  /** Redis brings a message. @returns whether it is one of this process, and so has arrived already */
  isKnown(partition: number, channel: string, text: string): boolean {
    return this.underWay.get(partition)?.arrived(channel, text) === true;
  }
}
