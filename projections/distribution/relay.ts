/** Copies the log, in order, to wherever `send` delivers. */

import type { Checkpoints } from '../../coordination/port.ts';
import { isFull, type LogReader, type StoredEvent, type StoredPage, upToUnreadable } from '../../log/port.ts';
import { type Clock, within } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { retrying, retryLine, Stopped } from '../../stores/guard.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Spans } from '../../telemetry/spans.ts';
import { type PartitionRecord, recordsOf } from './records.ts';

/**
 * The distribution log is a copy of the event log, split into partitions that several processes can follow in parallel.
 */
export interface Relay {
  /** Everything up to this position is in the distribution log, with its ticks. */
  readonly position: number;
  /** Finishes the batch under way within a second and stores the checkpoint. */
  stop(): Promise<void>;
}

// Waiting at the head of the log.

/**
 * Resolves when there are events beyond `position`, after `ms`, or when the signal aborts. The events from the tail
 * only wake the relay: the tail checks and upgrades them, which the distribution log does not need.
 */
const untilMore = async (
  log: LogReader,
  position: number,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  let wake = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  if (signal.aborted) return;
  signal.addEventListener('abort', wake, { once: true });
  const cancel = clock.setTimer(ms, wake);
  const tail = log.tail(
    position,
    async () => wake(),
    // An event of a newer Parley cannot be checked but can still be copied. Any other failure shows up again on
    // reading.
    () => {},
  );
  await woken;
  cancel();
  signal.removeEventListener('abort', wake);
  await tail.stop();
};

const { gatherMs, idleMs, stopMs, longestPauseMs } = BUDGETS.relay;

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
}

export class RunningRelay implements Relay {
  position = 0;
  private readonly parts: RelayParts;
  private readonly stopping = new AbortController();
  private readonly ended: Promise<void>;
  private began = Number.NEGATIVE_INFINITY;
  private written = 0;
  private writing: Promise<void> | undefined;
  private nextWrite = Number.NEGATIVE_INFINITY;

  constructor(parts: RelayParts) {
    this.parts = parts;
    this.ended = this.run().catch((failure: unknown) => {
      if (!(failure instanceof Stopped)) parts.onFailure(failure);
    });
  }

  private async run(): Promise<void> {
    await this.begin();
    let next = this.next(this.position);
    while (!this.stopping.signal.aborted) {
      const ready = await next;
      // Only a full page proves that there is more. Otherwise events that arrive during the send would be missed.
      const ahead = isFull(ready.events, BUDGETS.relay.page) ? this.next(ready.through) : undefined;
      if (ready.through > this.position) await this.relay(ready);
      else await this.rest();
      if (ahead === undefined) await this.gather();
      next = ahead ?? this.next(this.position);
    }
  }

  private async gather(): Promise<void> {
    const restMs = this.began + gatherMs - this.parts.clock.monotonic();
    if (restMs > 0) await this.parts.clock.delay(restMs, this.stopping.signal);
  }

  /** A restored log may be behind the checkpoint. What the previous log held beyond its end is useless. */
  private async begin(): Promise<void> {
    const { checkpoints, log } = this.parts;
    const checkpoint = await this.retried(() => checkpoints.read(NAME), 'the relay does not know where it was');
    const head = await this.retried(() => log.head(), 'the relay cannot read the log');
    this.position = Math.min(checkpoint, head);
    this.written = checkpoint;
  }

  /** Reads and encodes the next batch while the previous one is being sent. */
  private next(after: number): Promise<Ready> {
    const next = this.read(after);
    // Prefetched, so possibly never used.
    next.catch(() => {});
    return next;
  }

  private async read(after: number): Promise<Ready> {
    this.began = this.parts.clock.monotonic();
    const { log } = this.parts;
    // It stops at an event that cannot be read, since its followers could not tell that one was left out.
    const page = await this.retried(
      () => upToUnreadable((limit) => log.rawAll({ after, limit }), BUDGETS.relay.page),
      'the relay cannot read the log',
    );
    return this.ready(page, after);
  }

  private ready(page: StoredPage, from: number): Ready {
    const { log, partitions } = this.parts;
    const { events, through } = page;
    return { records: recordsOf(page, from, log.epoch, partitions), events, through };
  }

  private async relay({ records, events, through }: Ready): Promise<void> {
    const { spans, onRelayed } = this.parts;
    const sending = () => this.send(records);
    await (spans === undefined ? sending() : spans.behind('relay', events, {}, sending));
    this.position = through;
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

  /** Idle ticks tell new followers how far the log is. */
  private async rest(): Promise<void> {
    const { log, clock } = this.parts;
    const began = clock.monotonic();
    await untilMore(log, this.position, idleMs, clock, this.stopping.signal);
    if (clock.monotonic() - began < idleMs) return;
    await this.relay(this.ready({ events: [], through: this.position }, this.position));
  }

  private async retried<T>(
    work: () => Promise<T>,
    message: string,
    isRefused: (failure: unknown) => boolean = () => false,
  ): Promise<T> {
    const { logger, isFinal, clock } = this.parts;
    return retrying(work, {
      clock,
      signal: this.stopping.signal,
      // A send fails only after seconds of retries.
      longestMs: longestPauseMs,
      again: (failure) => !isFinal(failure) && !isRefused(failure),
      onRetry: retryLine(logger, {}, message),
    });
  }

  /** The stored checkpoint trails the relay, which does not wait for the vault; a restart may repeat a little. */
  private checkpoint(): void {
    if (this.writing !== undefined || this.position <= this.written) return;
    this.nextWrite = this.parts.clock.monotonic() + idleMs;
    this.writing = this.write(this.position);
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
    if (this.position > this.written) await this.write(this.position);
    await this.parts.close();
  }
}
