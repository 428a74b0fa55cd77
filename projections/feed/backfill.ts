/** Adds subscriptions, and reads from the log what was published before they were in place. */

import { type LogReader, type Page, pageOrUnreadable } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { retrying, Stopped } from '../../stores/guard.ts';
import { feedChannelOf } from './channels.ts';

const PAGE = 1000;
const LONGEST_PAUSE_MS = 1000;

/** Reads the log, one page at a time for the whole process, with retries until it answers. */
export class PatientLog {
  private readonly log: Pick<LogReader, 'readAll'>;
  private readonly clock: Clock;
  private readonly stopping: AbortSignal;
  private last: Promise<unknown> = Promise.resolve();

  constructor(log: Pick<LogReader, 'readAll'>, clock: Clock, stopping: AbortSignal) {
    this.log = log;
    this.clock = clock;
    this.stopping = stopping;
  }

  /** Leaves out an event that cannot be read. @returns `undefined` once `stopping` is aborted */
  pageAfter(position: number): Promise<Page | undefined> {
    const page = this.last.then(() => this.read(position));
    this.last = page.catch(() => {});
    return page;
  }

  private async read(position: number): Promise<Page | undefined> {
    try {
      return await retrying(() => pageOrUnreadable((limit) => this.log.readAll({ after: position, limit }), PAGE), {
        clock: this.clock,
        signal: this.stopping,
        again: () => true,
        longestMs: LONGEST_PAUSE_MS,
      });
    } catch (failure) {
      if (failure instanceof Stopped) return undefined;
      throw failure;
    }
  }
}

interface Latecomer {
  readonly channels: readonly string[];
  /** From here on its subscription can be relied on. */
  readonly through: number;
  readonly done: () => void;
}

interface LatecomersOptions {
  readonly pageAfter: (position: number) => Promise<Page | undefined>;
  /** The position through which events were handed over. New listeners begin beyond it. */
  readonly released: () => number;
  readonly onEvent: (event: ParleyEvent) => void;
  /** A range is being read. */
  readonly onRead: () => void;
}

export class Latecomers {
  private readonly options: LatecomersOptions;
  private queue: Latecomer[] = [];
  private reading = false;

  constructor(options: LatecomersOptions) {
    this.options = options;
  }

  /** Resolves once `onEvent` has received the channels' events through `through`, except those already passed. */
  fill(channels: readonly string[], through: number): Promise<void> {
    if (through <= this.options.released()) return Promise.resolve();
    return new Promise((done, failed) => {
      this.queue.push({ channels, through, done });
      if (!this.reading) this.readAll().catch(failed);
    });
  }

  /** One read serves all callers that wait when it begins. */
  private async readAll(): Promise<void> {
    this.reading = true;
    try {
      while (this.queue.length > 0) {
        const served = this.queue;
        this.queue = [];
        await this.read(served);
        for (const { done } of served) done();
      }
    } finally {
      this.reading = false;
    }
  }

  private async read(served: readonly Latecomer[]): Promise<void> {
    const { released, pageAfter, onEvent, onRead } = this.options;
    const channels = new Set(served.flatMap((one) => one.channels));
    const through = Math.max(...served.map((one) => one.through));
    let after = released();
    if (after < through) onRead();
    while (after < through) {
      const page = await pageAfter(after);
      if (page === undefined || page.through <= after) return;
      for (const event of page.events)
        if (event.position > released() && channels.has(feedChannelOf(event))) onEvent(event);
      after = page.through;
    }
  }
}
