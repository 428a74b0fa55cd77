/**
 * Follows the log: passes each batch to the store, then to the listeners, then lets readers at rest run. Messages that
 * stand alone are delivered before the store has them, because its transaction holds the thread. The store takes many
 * such batches in one transaction, a moment later or as soon as somebody wants to read them.
 */

import type { LogReader, Tail } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import { type ParleyEvent, standsAlone, UnreadableEvent } from '../../schemas/events/catalogue.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Spans } from '../../telemetry/spans.ts';
import { BatchApplier } from './applying.ts';
import type { BatchListener, Lag, Progress, ViewStore } from './port.ts';
import { PositionWaiters } from './progress/port.ts';
import { cutAtRightsChanges, Turns } from './rest.ts';

interface Mark {
  readonly position: number;
  readonly seen: number;
}

/** How far the views are behind the known head of the log. */
export class LagMeter {
  private readonly clock: Clock;
  private readonly marks: Mark[] = [];
  private checkpoint: number;

  constructor(checkpoint: number, clock: Clock) {
    this.checkpoint = checkpoint;
    this.clock = clock;
  }

  /** Called when the log was seen to reach `position`. */
  seen(position: number): void {
    if (position > (this.marks.at(-1)?.position ?? this.checkpoint))
      this.marks.push({ position, seen: this.clock.monotonic() });
  }

  applied(checkpoint: number): void {
    this.checkpoint = checkpoint;
    while (this.marks.length > 0 && this.marks[0]!.position <= checkpoint) this.marks.shift();
  }

  lag(): Lag {
    const [oldest] = this.marks;
    if (oldest === undefined) return { events: 0, seconds: 0 };
    return {
      events: this.marks.at(-1)!.position - this.checkpoint,
      seconds: (this.clock.monotonic() - oldest.seen) / 1000,
    };
  }
}

const LOOK_AT_HEAD_MS = 1000;
/** How long a read waits for what was delivered. A store that has no room must not hold up reads. */
const HELD_SOON_MS = 100;
const { gathered } = BUDGETS.sqlite;

/**
 * Those whose commands these are get their answers first. What an answer shows its dispatch shows too, so that nothing need
 * be opened or written twice. Ticks come after all promises.
 */
const afterAnswers = (): Promise<void> => new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));

interface RunnerOptions {
  readonly log: LogReader;
  readonly store: ViewStore;
  /** Called once when the views cannot continue: a listener threw, the store is damaged or the log cannot be read. */
  readonly onFailure: (error: unknown) => void;
  /** Absent in tools. */
  readonly logger?: Logger | undefined;
  /** Called each time that a batch is tried again because of a bug. */
  readonly onBug?: (() => void) | undefined;
  readonly clock: Clock;
  /** Absent when nothing is traced. */
  readonly spans?: Spans | undefined;
}

export class Runner implements Progress {
  readonly processesThrough: number;
  batches = 0;
  events = 0;

  private readonly log: LogReader;
  private readonly store: ViewStore;
  private readonly onFailure: (error: unknown) => void;
  private readonly listeners: BatchListener[] = [];
  private readonly deliverers: BatchListener[] = [];
  private deliveredThrough = 0;
  /** Delivered, and not held by the store yet. */
  private ahead: ParleyEvent[] = [];
  /** Somebody waits for this position. */
  private wanted = 0;
  private holdingSoon = false;
  private cancelHold: (() => void) | undefined;
  private readonly turns = new Turns(() =>
    this.ahead.length === 0 ? undefined : this.hold().catch((error) => this.fail(error)),
  );
  private readonly slices: TimeSlices;
  private readonly waiting: PositionWaiters;
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private readonly applying: BatchApplier;
  private readonly meter: LagMeter;
  private processes: () => number;
  private tail: Tail | undefined;
  private endLooks: () => void = () => {};
  private stopped: Promise<void> | undefined;

  constructor({ log, store, onFailure, logger, onBug, clock, spans }: RunnerOptions) {
    this.log = log;
    this.clock = clock;
    this.waiting = new PositionWaiters(clock);
    this.slices = new TimeSlices(clock);
    this.store = store;
    this.onFailure = onFailure;
    this.processesThrough = store.processesThrough;
    this.processes = () => store.processesThrough;
    this.applying = new BatchApplier({
      ...{ store, logger, onBug, clock, spans },
      processesThrough: () => this.processes(),
      stopping: this.stopping.signal,
    });
    this.meter = new LagMeter(store.checkpoint, clock);
  }

  setProcessesThrough(source: () => number): void {
    this.processes = source;
  }

  onBatch(listener: BatchListener): void {
    this.listeners.push(listener);
  }

  deliverTo(listener: BatchListener): void {
    this.deliverers.push(listener);
  }

  holdDelivered(): Promise<boolean> | undefined {
    return this.deliveredThrough <= this.checkpoint() ? undefined : this.until(this.deliveredThrough, HELD_SOON_MS);
  }

  start(): void {
    this.follow(this.checkpoint());
    const look = () =>
      void this.log.head().then(
        (head) => this.meter.seen(head),
        (error) => this.fail(error),
      );
    look();
    this.endLooks = this.clock.every(LOOK_AT_HEAD_MS, look);
  }

  private follow(after: number): void {
    this.tail = this.log.tail(
      after,
      (events) => this.take(events),
      (failure) => {
        if (failure instanceof UnreadableEvent) void this.passOver(failure).catch((error) => this.fail(error));
        else this.fail(failure);
      },
    );
  }

  /** Goes on beyond an event that cannot be read. Its stream is left out from there on. */
  private async passOver(failure: UnreadableEvent): Promise<void> {
    await this.turns.batch(async () => {
      await this.hold();
      await this.applying.leaveOut(failure);
      await this.told([], []);
    });
    if (!this.stopping.signal.aborted) this.follow(failure.event.position);
  }

  private fail(error: unknown): void {
    if (!this.stopping.signal.aborted) this.onFailure(error);
  }

  private async take(events: readonly ParleyEvent[]): Promise<void> {
    this.meter.seen(events.at(-1)!.position);
    for (const batch of cutAtRightsChanges(events)) {
      // Small batches may follow each other without any waiting.
      await this.slices.turn();
      await this.turns.batch(() => this.process(batch));
    }
  }

  private async process(batch: readonly ParleyEvent[]): Promise<void> {
    if (!batch.every(standsAlone)) return this.hold(batch);
    const through = batch.at(-1)!.position;
    for (const event of batch) this.ahead.push(event);
    this.deliveredThrough = through;
    await afterAnswers();
    for (const deliver of this.deliverers) await deliver(batch, through);
    if (this.ahead.length >= gathered.events || this.wanted > this.checkpoint()) this.holdSoon();
    else this.cancelHold ??= this.clock.setTimer(gathered.ms, () => this.holdSoon());
  }

  /** Stores what is delivered, and the batch after it that is not. */
  private async hold(batch: readonly ParleyEvent[] = []): Promise<void> {
    this.cancelHold?.();
    this.cancelHold = undefined;
    const events = this.ahead.length === 0 ? batch : [...this.ahead, ...batch];
    this.ahead = [];
    if (events.length === 0) return;
    await this.applying.apply(events);
    this.batches += 1;
    this.events += events.length;
    await this.told(events, batch);
  }

  /** In the next turn of the event loop: dispatches and answers leave first, and what is delivered until then goes with it. */
  private holdSoon(): void {
    if (this.holdingSoon) return;
    this.holdingSoon = true;
    setImmediate(() => {
      this.holdingSoon = false;
      this.turns.batch(() => this.hold()).catch((error) => this.fail(error));
    });
  }

  private async told(events: readonly ParleyEvent[], undelivered: readonly ParleyEvent[]): Promise<void> {
    const through = this.store.checkpoint;
    this.meter.applied(through);
    this.waiting.reached(through);
    if (undelivered.length > 0) for (const deliver of this.deliverers) await deliver(undelivered, through);
    for (const listener of this.listeners) await listener(events, through);
  }

  checkpoint(): number {
    return this.store.checkpoint;
  }

  get deadLetters(): number {
    return this.store.deadLetters;
  }

  lag(): Lag {
    return this.meter.lag();
  }

  async whenProcessed(position: number, timeoutMs: number): Promise<boolean> {
    return this.checkpoint() >= position || this.until(position, timeoutMs);
  }

  private until(position: number, timeoutMs: number): Promise<boolean> {
    this.wanted = Math.max(this.wanted, position);
    if (this.ahead.length > 0) this.holdSoon();
    return this.waiting.until(position, timeoutMs);
  }

  progress(): Progress {
    return this;
  }

  atRest<T>(read: (checkpoint: number) => Promise<T>): Promise<T> {
    return this.turns.atRest(() => read(this.checkpoint()));
  }

  stop(): Promise<void> {
    this.stopped ??= this.end();
    return this.stopped;
  }

  private async end(): Promise<void> {
    this.endLooks();
    this.stopping.abort();
    await this.tail?.stop();
    await this.turns.batch(async () => {
      await this.hold().catch((error) => this.fail(error));
      this.waiting.giveUp();
      await this.store.close(this.processes());
    });
  }
}
