/** Copies the log, in order, to wherever `send` delivers. */

import type { Checkpoints } from '../../coordination/port.ts';
import { type LogReader, PageSize, type StoredEvent, type Tail } from '../../log/port.ts';
import { type Clock, unlessAborted, within } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { retrying, retryLine, Stopped } from '../../stores/guard.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Spans } from '../../telemetry/spans.ts';
import { type PartitionRecord, recordsOf, type Ticked, tickedThrough } from './records.ts';

/**
 * The distribution log is a copy of the event log, split into partitions that several processes can follow in parallel.
 */
export interface Relay {
  /** Every event up to this position is in the distribution log, and a tick vouches for it. */
  readonly position: number;
  /** Finishes the batch under way within a second, with a tick in every partition, and stores the checkpoint. */
  stop(): Promise<void>;
}

const { gatherMs, tickMs, idleMs, stopMs, longestPauseMs } = BUDGETS.relay;

interface RelayParts {
  readonly log: LogReader;
  readonly partitions: number;
  readonly checkpoints: Checkpoints;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves when all records are acknowledged. Called again with the same records after a failure. */
  readonly send: (records: readonly PartitionRecord[]) => Promise<void>;
  readonly close: () => Promise<void>;
  /** Whether every retry of this failure would fail too. */
  readonly isFinal: (failure: unknown) => boolean;
  /** Whether the distribution log refuses some of the records, and always will: one is too large. */
  readonly isRefused: (failure: unknown) => boolean;
  /** Called for each event that the distribution log refuses. Its followers read it from the event log. */
  readonly onLeftOut?: () => void;
  /** Called for each batch. */
  readonly onRelayed?: (events: number, through: number) => void;
  /** Absent when nothing is traced. */
  readonly spans?: Spans | undefined;
  /** Called once when the relay cannot continue and no retry would help. */
  readonly onFailure: (failure: unknown) => void;
}

const NAME = 'relay';

interface Ready {
  readonly records: readonly PartitionRecord[];
  readonly events: readonly StoredEvent[];
  readonly through: number;
  /** How far the ticks go once these records are sent. */
  readonly ticked: Ticked;
}

/** A page that the log has given. */
interface Given extends Ready {
  /** Whether there is more already. */
  readonly isFull: boolean;
  readonly at: number;
  /** Lets the log give the next one. */
  readonly taken: () => void;
}

/** Tails give many events at once, however large they are. */
const pagesOf = (events: readonly StoredEvent[]): readonly { events: StoredEvent[]; isFull: boolean }[] => {
  const pages: { events: StoredEvent[]; isFull: boolean }[] = [];
  let size = new PageSize(0);
  for (const event of events) {
    if (size.isFull) {
      size = new PageSize(BUDGETS.relay.page);
      pages.push({ events: [], isFull: false });
    }
    const page = pages.at(-1)!;
    page.events.push(event);
    size.add(event);
    page.isFull = size.isFull;
  }
  return pages;
};

export class RunningRelay implements Relay {
  position = 0;
  private readonly parts: RelayParts;
  private readonly stopping = new AbortController();
  private readonly ended: Promise<void>;
  /** Through which the log has given everything. */
  private read = 0;
  private given: Given | undefined;
  /** How far the ticks of what is encoded go, and those of what is acknowledged. */
  private encoded: Ticked = [];
  private acknowledged: Ticked = [];
  /** Since when a partition lacks a tick through what is encoded, in monotonic milliseconds. */
  private untoldSince: number | undefined;
  private arrived: () => void = () => {};
  private written = 0;
  private writing: Promise<void> | undefined;
  private nextWrite = Number.NEGATIVE_INFINITY;

  constructor(parts: RelayParts) {
    this.parts = parts;
    const stopped = () => {
      this.given?.taken();
      this.arrived();
    };
    this.stopping.signal.addEventListener('abort', stopped, { once: true });
    this.ended = this.run().catch((failure: unknown) => {
      if (!(failure instanceof Stopped)) parts.onFailure(failure);
    });
  }

  private async run(): Promise<void> {
    await this.begin();
    const end = () => this.stopping.abort();
    const ends = await Promise.allSettled([this.passAll().finally(end), this.follow().finally(end)]);
    for (const one of ends) if (one.status === 'rejected' && !(one.reason instanceof Stopped)) throw one.reason;
  }

  /** A restored log may be behind the checkpoint. What the previous log held beyond its end is useless. */
  private async begin(): Promise<void> {
    const { checkpoints, log } = this.parts;
    const checkpoint = await this.retried(() => checkpoints.read(NAME), 'the relay does not know where it was');
    const head = await this.retried(() => log.head(), 'the relay cannot read the log');
    this.position = Math.min(checkpoint, head);
    this.read = this.position;
    this.encoded = tickedThrough(this.position, this.parts.partitions);
    this.acknowledged = this.encoded;
    this.written = checkpoint;
  }

  /** It stops at an event that cannot be read, since its followers could not tell that one was left out. */
  private follow(): Promise<never> {
    const { log } = this.parts;
    const { signal } = this.stopping;
    const tailed = async (): Promise<never> => {
      let tail: Tail | undefined;
      const failed = new Promise<never>((_, reject) => {
        tail = log.rawTail(this.read, (events) => this.take(events), reject);
      });
      try {
        return await unlessAborted(failed, signal);
      } finally {
        await tail?.stop();
      }
    };
    return this.retried(tailed, 'the relay cannot read the log');
  }

  /** Encodes what the log gives, while the page before it is sent. Resolves when the log shall give more. */
  private async take(events: readonly StoredEvent[]): Promise<void> {
    for (const page of pagesOf(events)) {
      const ready = this.ready(page.events, this.read, page.events.at(-1)!.position);
      await new Promise<void>((taken) => {
        if (this.stopping.signal.aborted) return taken();
        this.read = ready.through;
        this.given = { ...ready, isFull: page.isFull, at: this.parts.clock.monotonic(), taken };
        this.arrived();
      });
    }
  }

  private async passAll(): Promise<void> {
    for (;;) {
      const given = await this.next();
      if (this.stopping.signal.aborted) return this.tellAll();
      if (given !== undefined) await this.pass(given);
      // Idle ticks tell new followers how far the log is.
      else await this.relay(this.ready([], this.position, this.position));
    }
  }

  /**
   * Once, when it stops: if that fails, the next relay begins where this one's ticks end. What is encoded but not sent is
   * encoded again by that one.
   */
  private async tellAll(): Promise<void> {
    if (Math.min(...this.acknowledged) === this.position) return;
    this.encoded = this.acknowledged;
    const { records, ticked } = this.ready([], this.position, this.position);
    try {
      await this.parts.send(records);
      this.acknowledged = ticked;
    } catch {
      // The distribution log cannot be reached.
    }
  }

  /** What the log gives next, or undefined if it gives nothing for a while and partitions are to get a tick. */
  private async next(): Promise<Given | undefined> {
    if (this.given === undefined && !this.stopping.signal.aborted) {
      const arrival = new Promise<void>((resolve) => {
        this.arrived = resolve;
      });
      const { clock } = this.parts;
      const restMs = this.untoldSince === undefined ? idleMs : this.untoldSince + tickMs - clock.monotonic();
      const cancel = clock.setTimer(Math.max(restMs, 0), this.arrived);
      await arrival;
      cancel();
    }
    const { given } = this;
    this.given = undefined;
    return given;
  }

  /** Small pages keep a least time from one to the next. */
  private async pass(given: Given): Promise<void> {
    const { clock } = this.parts;
    try {
      if (given.isFull) given.taken();
      await this.relay(given);
      const restMs = given.at + gatherMs - clock.monotonic();
      if (restMs > 0 && !given.isFull) await clock.delay(restMs, this.stopping.signal);
    } finally {
      given.taken();
    }
  }

  private ready(events: readonly StoredEvent[], from: number, through: number): Ready {
    const { log, clock } = this.parts;
    const now = clock.monotonic();
    const toAll = events.length === 0 || (this.untoldSince !== undefined && now - this.untoldSince >= tickMs);
    const { records, ticked } = recordsOf({ events, through }, { from, ticked: this.encoded, toAll }, log.epoch);
    this.encoded = ticked;
    this.untoldSince = ticked.some((told) => told < through) ? (this.untoldSince ?? now) : undefined;
    return { records, events, through, ticked };
  }

  private async relay({ records, events, through, ticked }: Ready): Promise<void> {
    const { spans, onRelayed } = this.parts;
    const sending = () => this.send(records);
    await (spans === undefined ? sending() : spans.behind('relay', events, {}, sending));
    this.position = through;
    this.acknowledged = ticked;
    onRelayed?.(events.length, through);
    if (this.parts.clock.monotonic() >= this.nextWrite) this.checkpoint();
  }

  /**
   * Sends all records but those that the distribution log refuses. Where one is left out, the next tick counts one event
   * more than there are, so followers read the range from the event log.
   */
  private async send(records: readonly PartitionRecord[]): Promise<void> {
    const { send, isRefused, logger, onLeftOut } = this.parts;
    try {
      await this.retried(() => send(records), 'the relay cannot send', isRefused);
    } catch (failure) {
      if (!isRefused(failure)) throw failure;
      if (records.length > 1) {
        const half = records.length >>> 1;
        await this.send(records.slice(0, half));
        return this.send(records.slice(half));
      }
      onLeftOut?.();
      const { key: stream, value } = records[0]!;
      const about = { err: failure, stream, bytes: Buffer.byteLength(value) };
      logger.error(about, 'an event cannot be relayed: those who follow read it from the log');
    }
  }

  private async retried<T>(
    work: () => Promise<T>,
    message: string,
    isRefused: (failure: unknown) => boolean = () => false,
  ): Promise<T> {
    const { logger, isFinal, clock } = this.parts;
    const { signal } = this.stopping;
    try {
      return await retrying(work, {
        clock,
        signal,
        // A send fails only after seconds of retries.
        longestMs: longestPauseMs,
        again: (failure) => !signal.aborted && !isFinal(failure) && !isRefused(failure),
        onRetry: retryLine(logger, {}, message),
      });
    } catch (failure) {
      throw signal.aborted ? new Stopped() : failure;
    }
  }

  /** The stored checkpoint trails the relay, which does not wait for the vault; a restart may repeat a little. */
  private checkpoint(): void {
    if (this.writing !== undefined || this.restart <= this.written) return;
    this.nextWrite = this.parts.clock.monotonic() + idleMs;
    this.writing = this.write(this.restart);
  }

  /** Where the next relay begins, so that its ticks continue those of every partition. */
  private get restart(): number {
    return Math.min(this.position, ...this.acknowledged);
  }

  private async write(position: number): Promise<void> {
    try {
      await this.parts.checkpoints.write(NAME, position);
      this.written = position;
    } catch (failure) {
      retryLine(this.parts.logger, {}, 'the relay cannot store how far it is')(failure, 1, idleMs);
    }
    this.writing = undefined;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await within(this.parts.clock, stopMs, this.ended);
    await this.writing;
    if (this.restart > this.written) await this.write(this.restart);
    await this.parts.close();
  }
}
