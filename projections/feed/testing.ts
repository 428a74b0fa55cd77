/** For specs of the feed: a transport in memory that can be told to fail, and a publisher on it. */

import { expect } from 'vitest';
import type { LogReader } from '../../log/port.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { channelAudience } from '../../schemas/streams.ts';
import { partitionOf } from '../engine/partitions.ts';
import { Story } from '../testing.ts';
import type { FeedMetrics, FeedTransport, FillReason, TransportListener } from './port.ts';
import { messagesOf } from './publish.ts';
import { type FeedLimits, type FeedReaderOptions, MendingFeedReader } from './reader.ts';

export interface Published {
  readonly partition: number;
  readonly channel: string;
  readonly text: string;
}

/** What one reader's connection does with a message. */
export type Fate = 'arrives' | 'twice' | 'lost';

export class MemoryTransport implements FeedTransport {
  fate: (message: Published) => Fate = () => 'arrives';
  /** Whether subscriptions are confirmed; `hangs`: not while it is so, and nothing is said. */
  subscribing: 'confirmed' | 'refused' | 'hangs' = 'confirmed';
  readonly asked: string[] = [];
  /** Messages are under way until `arrive`: those of one partition in order, partitions each at its own pace. */
  slow = false;
  private readonly underWay = new Map<number, Published[]>();
  private readonly subscribed = new Set<string>();
  private readonly hanging: (() => void)[] = [];
  private listener: TransportListener | undefined;

  start(listener: TransportListener): void {
    this.listener = listener;
  }

  async subscribe(partition: number, channels: readonly string[]): Promise<void> {
    const names = channels.map((channel) => `${partition}/${channel}`);
    this.asked.push(...names);
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

  /** What hung is confirmed. */
  confirmHanging(): void {
    this.subscribing = 'confirmed';
    for (const confirm of this.hanging.splice(0)) confirm();
  }

  unsubscribe(partition: number, channels: readonly string[]): void {
    for (const channel of channels) this.subscribed.delete(`${partition}/${channel}`);
  }

  hears(partition: number, channel: string): boolean {
    return this.subscribed.has(`${partition}/${channel}`);
  }

  reconnected(): void {
    this.listener?.onReconnect();
  }

  /** What is under way is lost, and so are the subscriptions. */
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

  /** The next messages of a partition arrive. */
  arrive(partition: number, count = Number.POSITIVE_INFINITY): void {
    const queue = this.underWay.get(partition) ?? [];
    for (const { channel, text } of queue.splice(0, count)) this.listener?.onMessage(partition, channel, text);
  }

  stop(): void {
    this.listener = undefined;
  }
}

/** A projector per partition, as far as gateways can tell: it publishes what the log has when it is asked to. */
export class MemoryPublisher {
  private readonly log: Pick<LogReader, 'readAll' | 'head'>;
  private readonly partitions: number;
  private readonly through: number[];
  private readonly last: number[];
  readonly transports: MemoryTransport[] = [];

  constructor(log: Pick<LogReader, 'readAll' | 'head'>, partitions: number) {
    this.log = log;
    this.partitions = partitions;
    this.through = Array.from({ length: partitions }, () => 0);
    this.last = Array.from({ length: partitions }, () => 0);
  }

  /** Somebody else goes on with the partition where the log ends. */
  async takeOver(partition: number): Promise<void> {
    this.through[partition] = await this.log.head();
    this.last[partition] = this.through[partition]!;
  }

  /** Publishes the partition's next batch, of at most `limit` events of the whole log. */
  async publish(partition: number, limit = 1000): Promise<void> {
    const after = this.through[partition]!;
    const page = await this.log.readAll({ after, limit });
    const events = page.events.filter((event) => partitionOf(event.stream, this.partitions) === partition);
    const from = this.last[partition]!;
    const to = events.at(-1)?.position ?? from;
    this.through[partition] = page.through;
    this.last[partition] = to;
    this.send(partition, events, { from, to, through: page.through });
  }

  send(
    partition: number,
    events: readonly ParleyEvent[],
    numbers: { from: number; to: number; through: number },
  ): void {
    for (const message of messagesOf(events, numbers))
      for (const transport of this.transports) transport.deliver({ partition, ...message });
  }

  async publishAll(): Promise<void> {
    for (let partition = 0; partition < this.partitions; partition += 1) await this.publish(partition);
  }
}

export class CountedFills implements FeedMetrics {
  readonly fills: FillReason[] = [];
  readonly delays: number[] = [];

  filled(reason: FillReason): void {
    this.fills.push(reason);
  }

  released(delayMs: number): void {
    this.delays.push(delayMs);
  }
}

/** What a process was handed. */
export class Handed {
  readonly batches: { readonly events: readonly ParleyEvent[]; readonly through: number }[] = [];

  readonly onBatch = async (events: readonly ParleyEvent[], through: number): Promise<void> => {
    this.batches.push({ events, through });
  };

  get events(): readonly ParleyEvent[] {
    return this.batches.flatMap((batch) => batch.events);
  }

  get positions(): readonly number[] {
    return this.events.map((event) => event.position);
  }
}

/** Nothing is stale unless a spec says so. */
export const PATIENT: FeedLimits = { staleMs: 60_000, lookMs: 60_000, subscribeMs: 60_000, pending: 1000 };
export const HASTY: FeedLimits = { staleMs: 10, lookMs: 5, subscribeMs: 20, pending: 1000 };

export const aReader = (
  options: Pick<FeedReaderOptions, 'log' | 'partitions' | 'transport'> & Partial<FeedReaderOptions>,
): MendingFeedReader =>
  new MendingFeedReader({
    onTyping: () => {},
    onFailure: (error) => {
      throw error;
    },
    logger: { warn: () => {} },
    metrics: new CountedFills(),
    limits: PATIENT,
    ...options,
  });

/** One gateway's end of the feed with everything around it in memory, for specs. */
export const PARTITIONS = 3;

/** Channels of partitions 0, 1 and 2. */
export const [HERE, THERE, ELSEWHERE] = [0, 1, 2].map((partition) => {
  for (let id = 30; ; id += 1) if (partitionOf(`channel-${id}`, PARTITIONS) === partition) return String(id);
}) as [string, string, string];

export class Station {
  readonly story = new Story();
  readonly transport = new MemoryTransport();
  readonly publisher = new MemoryPublisher(this.story.log, PARTITIONS);
  readonly metrics = new CountedFills();
  readonly handed = new Handed();
  /** Milliseconds; stands still unless a spec moves it. */
  now = 0;
  private opened: MendingFeedReader | undefined;

  constructor() {
    this.publisher.transports.push(this.transport);
  }

  get reader(): MendingFeedReader {
    return this.opened!;
  }

  /** Not begun yet. */
  open(options: Partial<FeedReaderOptions> = {}): MendingFeedReader {
    const { transport, metrics } = this;
    const clock = () => this.now;
    this.opened = aReader({ log: this.story.log, transport, partitions: PARTITIONS, metrics, clock, ...options });
    return this.opened;
  }

  async begin(options: Partial<FeedReaderOptions> = {}): Promise<void> {
    await this.open(options).start(this.handed.onBatch);
  }

  async beginListening(...channelIds: readonly string[]): Promise<void> {
    await this.begin();
    await this.reader.listen(channelIds.map(channelAudience));
  }

  arrivesThrough(position: number): Promise<void> {
    return expect.poll(() => this.reader.position).toBe(position);
  }

  async end(): Promise<void> {
    await this.opened?.stop();
  }
}
