/** For specs of the feed: a projector that publishes on request, and one gateway's end of the feed. */

import type { LogReader } from '../../log/port.ts';
import { passingOn, TestClock } from '../../schemas/clock.testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { channelAudience } from '../../schemas/streams.ts';
import type { EmptyRange } from '../engine/empty-ranges.ts';
import { partitionOf } from '../engine/partitions.ts';
import { Story } from '../testing.ts';
import { MemoryTransport } from './memory.ts';
import type { OwnFeed } from './own-feed.ts';
import type { FeedMetrics, FillReason } from './port.ts';
import { messagesOf } from './publish.ts';
import { type FeedLimits, type FeedReaderOptions, MendingFeedReader } from './reader.ts';

/** One projector per partition, as gateways see it: publishes what the log has, on request. */
export class MemoryPublisher {
  private readonly log: Pick<LogReader, 'readAll' | 'head'>;
  private readonly partitions: number;
  private readonly through: number[];
  private readonly last: number[];
  private readonly tellsOfOthers: boolean;
  readonly transports: MemoryTransport[] = [];
  /** Of the gateway in the same process. */
  own: OwnFeed | undefined;

  /** @param tellsOfOthers whether a manifest says which other partitions have no event of its page */
  constructor(log: Pick<LogReader, 'readAll' | 'head'>, partitions: number, tellsOfOthers = false) {
    this.log = log;
    this.tellsOfOthers = tellsOfOthers;
    this.partitions = partitions;
    this.through = Array.from({ length: partitions }, () => 0);
    this.last = Array.from({ length: partitions }, () => 0);
  }

  /** A new owner continues the partition at the head of the log. */
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
    const held = new Set(page.events.map((event) => partitionOf(event.stream, this.partitions)));
    const others = [...this.through.keys()].filter((other) => other !== partition && !held.has(other));
    const empty = this.tellsOfOthers ? [{ from: after, through: page.through, partitions: others }] : [];
    this.send(partition, events, { from, to, through: page.through }, empty);
  }

  send(
    partition: number,
    events: readonly ParleyEvent[],
    numbers: { from: number; to: number; through: number },
    empty: readonly EmptyRange[] = [],
  ): void {
    const messages = messagesOf(events, numbers, empty);
    this.own?.publish(partition, messages);
    for (const message of messages)
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

/** What a process has received. */
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

/** Nothing counts as stale unless a spec says so. */
export const PATIENT: FeedLimits = {
  staleMs: 60_000,
  movingMs: 60_000,
  lookMs: 60_000,
  subscribeMs: 60_000,
  pending: { count: 1000, bytes: 10_000_000 },
};
export const HASTY: FeedLimits = { staleMs: 10, movingMs: 20, lookMs: 5, subscribeMs: 20, pending: PATIENT.pending };

export const aReader = (
  options: Pick<FeedReaderOptions, 'log' | 'partitions' | 'transport'> & Partial<FeedReaderOptions>,
): MendingFeedReader =>
  new MendingFeedReader({
    onTyping: () => {},
    onTakeover: () => {},
    onFailure: (error) => {
      throw error;
    },
    logger: { warn: () => {} },
    metrics: new CountedFills(),
    clock: systemClock,
    limits: PATIENT,
    ...options,
  });

/** For specs: one gateway's end of the feed, with everything around it in memory. */
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
  readonly clock = new TestClock();
  private opened: MendingFeedReader | undefined;

  constructor() {
    this.publisher.transports.push(this.transport);
  }

  get reader(): MendingFeedReader {
    return this.opened!;
  }

  /** Not started yet. */
  open(options: Partial<FeedReaderOptions> = {}): MendingFeedReader {
    const { transport, metrics, clock } = this;
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
    return passingOn(this.clock, 5).until(() => this.reader.position === position);
  }

  async end(): Promise<void> {
    await this.opened?.stop();
  }
}
