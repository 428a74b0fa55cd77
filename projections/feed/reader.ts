/**
 * A gateway's end of the feed. Each partition's manifests say how far it has got. The lowest of these positions is the
 * watermark, and events up to it are handed over in position order. Every fault is repaired the same way: the missing
 * range is read from the log.
 */

import type { Takeover } from '../../coordination/port.ts';
import type { LogReader, Page } from '../../log/port.ts';
import { type Clock, within } from '../../schemas/clock.ts';
import type { Audience } from '../../schemas/streams.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { partitionOf } from '../engine/partitions.ts';
import type { BatchListener } from '../engine/port.ts';
import { Latecomers, PatientLog } from './backfill.ts';
import { byPartition, feedChannelOf, type Listened, Listening, MANIFEST, STRUCTURE } from './channels.ts';
import { Chain, HeadWatch } from './gaps.ts';
import type { OwnFeed } from './own-feed.ts';
import { decodeManifest, decodeSaid, type Manifest, type Pulse } from './payloads.ts';
import type { FeedMetrics, FeedReader, FeedTransport, FillReason, TransportListener, TypingTold } from './port.ts';
import type { FeedMessage } from './publish.ts';
import { type Most, Release } from './release.ts';

export interface FeedLimits {
  /** How long an event may be under way, once its partition stands still, before it is read from the log. */
  readonly staleMs: number;
  /**
   * The same while its partition moves: a projector that lags is waited for longer, since reading the whole log on every
   * gateway adds to the load that makes it lag.
   */
  readonly movingMs: number;
  /** Interval for reading the head of the log. */
  readonly lookMs: number;
  /** How long a subscription may take. After that the log supplies what it would have brought. */
  readonly subscribeMs: number;
  /** Most events that may wait for the watermark or the listener. Later ones are dropped and read from the log. */
  readonly pending: Most;
}

export const feedLimits: FeedLimits = BUDGETS.feed;

export interface FeedReaderOptions {
  readonly log: Pick<LogReader, 'head' | 'readAll'>;
  readonly transport: FeedTransport;
  /** What a projector in the same process publishes. */
  readonly own?: OwnFeed | undefined;
  /** Number of partitions of the distribution log. */
  readonly partitions: number;
  readonly onTyping: (typing: TypingTold) => void;
  readonly onTakeover: (takeover: Takeover) => void;
  /** Called once when delivery cannot continue: the listener threw. */
  readonly onFailure: (error: unknown) => void;
  readonly logger: { warn(fields: object, message: string): void };
  readonly metrics: FeedMetrics;
  readonly limits?: FeedLimits;
  readonly clock: Clock;
}

export class MendingFeedReader implements FeedReader, TransportListener {
  private readonly options: FeedReaderOptions;
  private readonly limits: FeedLimits;
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private readonly log: PatientLog;
  private readonly listening: Listening;
  private readonly latecomers: Latecomers;
  private readonly release: Release;
  private readonly watch: HeadWatch;
  private chains: readonly Chain[] = [];
  /** Partitions read from the log until their manifests are on time again, and when these were last asked for. */
  private readonly silent = new Map<number, number>();
  private mending = false;

  constructor(options: FeedReaderOptions) {
    this.options = options;
    this.limits = options.limits ?? feedLimits;
    this.clock = options.clock;
    this.log = new PatientLog(options.log, this.clock, this.stopping.signal);
    this.listening = new Listening(options.partitions);
    this.watch = new HeadWatch(Math.max(this.limits.staleMs, this.limits.movingMs));
    this.release = new Release({
      watermark: () => Math.min(...this.chains.map((chain) => chain.through)),
      onReleased: (delayMs) => options.metrics.released(delayMs),
      onFailure: (error) => this.fail(error),
      clock: this.clock,
      stopping: this.stopping.signal,
    });
    this.latecomers = new Latecomers({
      pageAfter: (position) => this.log.pageAfter(position),
      released: () => this.release.released,
      onEvent: (event) => this.release.add(event),
      onRead: () => options.metrics.filled('subscription'),
    });
  }

  get position(): number {
    return this.release.position;
  }

  async start(onBatch: BatchListener): Promise<void> {
    const head = await this.options.log.head();
    this.release.begin(head, onBatch);
    this.chains = Array.from({ length: this.options.partitions }, () => new Chain(head));
    this.options.transport.start(this);
    this.options.own?.start((partition, message) => this.onOwn(partition, message));
    for (const partition of this.chains.keys()) this.subscribe(partition, [MANIFEST, STRUCTURE]);
    void this.lookOut();
  }

  async listen(audiences: readonly Audience[]): Promise<void> {
    const { all, fresh } = this.listening.add(audiences);
    for (const [partition, channels] of byPartition(fresh)) {
      const ready = this.admit(partition, channels);
      for (const one of channels) one.ready = ready;
    }
    await Promise.all(all.map((one) => one.ready));
  }

  leave(audiences: readonly Audience[]): void {
    for (const [partition, channels] of byPartition(this.listening.remove(audiences))) {
      const names = channels.map((one) => one.name);
      this.options.transport.unsubscribe(partition, names);
    }
  }

  atRest<T>(read: (position: number) => Promise<T>): Promise<T> {
    return this.release.atRest(read);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.options.transport.stop();
    this.options.own?.stop();
    await this.release.ended();
  }

  onMessage(partition: number, channel: string, text: string): void {
    const chain = this.chains[partition];
    if (chain === undefined || this.stopping.signal.aborted) return;
    try {
      if (channel === MANIFEST) {
        this.onManifest(partition, chain, decodeManifest(text));
        return;
      }
      const said = decodeSaid(text);
      if ('typing' in said) this.options.onTyping(said.typing);
      else if ('takeover' in said) this.options.onTakeover(said.takeover);
      else this.onPulse(chain, channel, said);
    } catch (error) {
      // Treated as if it had not arrived: the log has it.
      this.options.logger.warn({ err: error, partition, channel }, 'a message of the feed could not be read');
    }
  }

  private onOwn(partition: number, { channel, said }: FeedMessage): void {
    const chain = this.chains[partition];
    if (chain === undefined || this.stopping.signal.aborted) return;
    if ('events' in said) this.onPulse(chain, channel, said);
    else this.onManifest(partition, chain, said);
  }

  onReconnect(): void {
    void this.look('reconnect');
  }

  private onPulse(chain: Chain, channel: string, pulse: Pulse): void {
    if (!chain.awaits(pulse) || !this.listening.hears(channel) || this.release.isFull(this.limits.pending)) return;
    const at = this.clock.monotonic();
    for (const event of pulse.events) if (event.position > chain.through) this.release.add(event, at);
    chain.received(pulse, channel);
  }

  private onManifest(partition: number, chain: Chain, manifest: Manifest): void {
    const now = this.clock.monotonic();
    chain.hear(manifest, now);
    if (this.passOthers(manifest, now)) this.release.advance();
    const verdict = chain.manifest(manifest, (channel) => this.listening.requires(channel));
    if (manifest.through >= this.watch.due(now, this.limits.movingMs)) this.silent.delete(partition);
    if (verdict === 'known') return;
    if (verdict === 'moved') {
      this.release.advance();
      return;
    }
    this.want(chain, manifest.through, verdict);
    if (verdict === 'pulse')
      this.subscribe(
        partition,
        manifest.channels.filter((channel) => this.listening.requires(channel)),
      );
  }

  /** @returns whether the manifest moves other partitions, which have no events where this one has */
  private passOthers({ empty = [] }: Manifest, now: number): boolean {
    let moved = false;
    for (const { from, through, partitions } of empty)
      for (const other of partitions) if (this.chains[other]?.passes(from, through, now)) moved = true;
    return moved;
  }

  /** The caller need not know whether it worked: missing messages are noticed. */
  private subscribe(partition: number, channels: readonly string[]): void {
    this.options.transport.subscribe(partition, channels).catch(() => {});
  }

  /** Makes only the caller wait: the channels are relied on once their subscription is in place. */
  private async admit(partition: number, channels: readonly Listened[]): Promise<void> {
    const names = channels.map((one) => one.name);
    const confirmed = this.options.transport.subscribe(partition, names).catch(() => {});
    await within(this.clock, this.limits.subscribeMs, confirmed);
    for (const one of channels) one.required = true;
    const chain = this.chains[partition];
    if (chain === undefined) return;
    await this.latecomers.fill(names, chain.through).catch((error: unknown) => this.fail(error));
  }

  private async lookOut(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.look('stale');
      await this.clock.delay(this.limits.lookMs, signal);
    }
  }

  /** After a reconnect, wants everything in the log; otherwise what should have arrived by now. */
  private async look(reason: 'stale' | 'reconnect'): Promise<void> {
    const head = await this.options.log.head().catch(() => undefined);
    // If the log cannot be asked, it cannot be read either.
    if (head === undefined || this.stopping.signal.aborted) return;
    const now = this.clock.monotonic();
    this.watch.seen(head, now);
    const { staleMs, movingMs } = this.limits;
    for (const [partition, chain] of this.chains.entries()) {
      const graceMs = chain.still(now) >= staleMs ? staleMs : movingMs;
      const expected = reason === 'reconnect' || this.silent.has(partition) ? head : this.watch.due(now, graceMs);
      if (chain.through >= expected) continue;
      this.want(chain, head, reason);
      if (reason === 'stale') this.askAgain(partition, now);
    }
  }

  /** The subscription itself may be lost without any notice. */
  private askAgain(partition: number, now: number): void {
    const asked = this.silent.get(partition);
    if (asked !== undefined && now - asked < BUDGETS.feed.askAgainMs) return;
    this.silent.set(partition, now);
    this.subscribe(partition, [MANIFEST, STRUCTURE]);
  }

  private want(chain: Chain, through: number, reason: FillReason): void {
    if (!chain.gapped) this.options.metrics.filled(reason);
    chain.wanted = Math.max(chain.wanted, through);
    this.mend().catch((error: unknown) => this.fail(error));
  }

  /** Reads the log once for all partitions with missing events, until none has any. */
  private async mend(): Promise<void> {
    if (this.mending) return;
    this.mending = true;
    try {
      for (;;) {
        await this.release.room(this.limits.pending);
        const gapped = this.chains.filter((chain) => chain.gapped);
        if (gapped.length === 0) return;
        const after = Math.min(...gapped.map((chain) => chain.through));
        const page = await this.log.pageAfter(after);
        if (page === undefined) return;
        this.take(after, page);
        // The log has no more, so nothing is missing, whatever the head was.
        if (page.through <= after) for (const chain of gapped) chain.wanted = chain.through;
      }
    } finally {
      this.mending = false;
    }
  }

  /** Every partition that has reached the start of the page advances to its end, whether it missed something or not. */
  private take(after: number, page: Page): void {
    const { partitions } = this.options;
    for (const event of page.events) {
      const chain = this.chains[partitionOf(event.stream, partitions)]!;
      if (chain.through < after || event.position <= chain.through) continue;
      if (this.listening.hears(feedChannelOf(event))) this.release.add(event);
    }
    for (const chain of this.chains) if (chain.through >= after) chain.moveTo(page.through);
    this.release.advance();
  }

  private fail(error: unknown): void {
    if (this.stopping.signal.aborted) return;
    this.stopping.abort();
    this.options.onFailure(error);
  }
}
