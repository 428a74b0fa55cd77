/** The feed in memory. It can do to a reader's connection whatever a network can. */

import type { OwnFeed } from './own-feed.ts';
import type { FeedPublisher, FeedTransport, SignalPublisher, TransportListener } from './port.ts';
import { ChainedPublisher } from './publish.ts';
import { signalsThrough } from './signals.ts';

export interface Published {
  readonly partition: number;
  readonly channel: string;
  readonly text: string;
}

/** What one reader's connection does with a message. */
export type Fate = 'arrives' | 'twice' | 'lost';

export class MemoryTransport implements FeedTransport {
  fate: (message: Published) => Fate = () => 'arrives';
  /** Whether subscriptions are confirmed; `hangs`: not for now, and without an answer. */
  subscribing: 'confirmed' | 'refused' | 'hangs' = 'confirmed';
  readonly asked: string[] = [];
  /** Messages are under way until `arrive`: in order within a partition, while partitions proceed independently. */
  slow = false;
  private readonly underWay = new Map<number, Published[]>();
  private readonly subscribed = new Set<string>();
  private readonly wanted = new Set<string>();
  private readonly hanging: (() => void)[] = [];
  private listener: TransportListener | undefined;
  private readonly own: OwnFeed | undefined;

  /** @param own of the projector in the same process */
  constructor(own?: OwnFeed) {
    this.own = own;
  }

  start(listener: TransportListener): void {
    this.listener = listener;
  }

  async subscribe(partition: number, channels: readonly string[]): Promise<void> {
    const names = channels.map((channel) => `${partition}/${channel}`);
    this.asked.push(...names);
    for (const name of names) this.wanted.add(name);
    if (this.subscribing === 'refused') throw new Error('not connected');
    const confirm = () => {
      for (const name of names) this.subscribed.add(name);
    };
    if (this.subscribing === 'hangs') {
      await new Promise<void>((resolve) => {
        this.hanging.push(() => {
          confirm();
          resolve();
        });
      });
    } else confirm();
  }

  /** Confirms the subscriptions that hung. */
  confirmHanging(): void {
    this.subscribing = 'confirmed';
    for (const confirm of this.hanging.splice(0)) confirm();
  }

  unsubscribe(partition: number, channels: readonly string[]): void {
    for (const channel of channels) {
      this.wanted.delete(`${partition}/${channel}`);
      this.subscribed.delete(`${partition}/${channel}`);
    }
  }

  hears(partition: number, channel: string): boolean {
    return this.subscribed.has(`${partition}/${channel}`);
  }

  reconnected(): void {
    this.listener?.onReconnect();
  }

  /** A new connection subscribes again to what is wanted. */
  restore(): void {
    for (const name of this.wanted) this.subscribed.add(name);
    this.reconnected();
  }

  /** Loses the messages under way and the subscriptions. */
  cut(): void {
    this.underWay.clear();
    this.subscribed.clear();
  }

  deliver(message: Published): void {
    const { partition, channel } = message;
    if (!this.hears(partition, channel)) return;
    const queue = this.underWay.get(partition) ?? [];
    this.underWay.set(partition, queue);
    const fate = this.fate(message);
    for (let n = fate === 'lost' ? 0 : fate === 'twice' ? 2 : 1; n > 0; n -= 1) queue.push(message);
    if (!this.slow) this.arrive(partition);
  }

  /** Delivers the next messages of a partition. */
  arrive(partition: number, count = Number.POSITIVE_INFINITY): void {
    const queue = this.underWay.get(partition) ?? [];
    for (const { channel, text } of queue.splice(0, count))
      if (this.own?.isKnown(partition, channel, text) !== true) this.listener?.onMessage(partition, channel, text);
  }

  stop(): void {
    this.listener = undefined;
  }
}

export class MemoryFeed {
  private readonly transports = new Set<MemoryTransport>();

  /** For a gateway. */
  transport(): MemoryTransport {
    const transport = new MemoryTransport();
    this.transports.add(transport);
    return transport;
  }

  /** For a projector. */
  publisher(): FeedPublisher {
    return new ChainedPublisher(async (partition, messages) => {
      for (const message of messages) this.publish({ partition, ...message });
    });
  }

  /** @param partitions of the distribution log */
  signals(partitions: number): SignalPublisher {
    return signalsThrough(partitions, ({ partition, name }, text) => this.publish({ partition, channel: name, text }));
  }

  private publish(message: Published): void {
    for (const transport of this.transports) transport.deliver(message);
  }
}
