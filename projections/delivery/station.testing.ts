/** One gateway's end of the feed with everything around it in memory, for specs. */
import { expect } from 'vitest';
import { channelAudience } from '../../schemas/streams.ts';
import { partitionOf } from '../partitions.ts';
import { Story } from '../testing.ts';
import type { FeedReaderOptions, MendingFeedReader } from './reader.ts';
import { aReader, CountedFills, Handed, MemoryPublisher, MemoryTransport } from './testing.ts';

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
