/** Following the log without end. Subscriptions do not reconnect, so a new one continues from the last place. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AllStreamRecordedEvent, EventStoreDBClient } from '@eventstore/db-client';
import type { Clock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { isMisplaced } from '../../stores/kurrentdb/failures.ts';
import type { StreamHead, Tail } from '../port.ts';
import { isOurs, positionOf, sequenceOf } from './events.ts';
import { type LogPlace, mendedPlaceOf, placeOf, type Reading, toChecked } from './reader.ts';
import { Following, type Signal } from './subscription.ts';

const BATCH = 1_000;
const PAUSE_MS = 250;

type OnEvents = (events: readonly AllStreamRecordedEvent[]) => Promise<void>;

export interface Source {
  readonly client: EventStoreDBClient;
  readonly reading: Reading;
  readonly silenceMs: number;
  readonly clock: Clock;
}

/** Passes on events beyond a position, each once even if delivered twice, and tracks where to continue. */
class Course {
  place: LogPlace;
  private position: number;
  private readonly onEvents: OnEvents;

  constructor(after: number, onEvents: OnEvents) {
    this.place = placeOf(after);
    this.position = after;
    this.onEvents = onEvents;
  }

  async take(signals: readonly Signal[]): Promise<void> {
    const events: AllStreamRecordedEvent[] = [];
    for (const told of signals) {
      // Keep both halves of a checkpoint: from its commit position alone, the event after it might be left out.
      if (told.kind === 'checkpoint') this.place = { after: told.position };
      if (told.kind !== 'event') continue;
      const position = positionOf(told.event);
      this.place = { after: told.event.position };
      if (position <= this.position || !isOurs(told.event)) continue;
      this.position = position;
      events.push(told.event);
    }
    if (events.length > 0) await this.onEvents(events);
  }

  /** For a start position that the server refused. */
  async mend(reading: Reading): Promise<void> {
    this.place = await mendedPlaceOf(reading, this.position);
  }
}

/**
 * Passes on every event of ours beyond `after`, each once, in order, in batches of at most 1,000, the next once the
 * promise of the previous has resolved. Ends when the signal is aborted.
 * @throws only errors of `onEvents`
 */
export const follow = async (
  { client, reading, silenceMs, clock }: Source,
  after: number,
  onEvents: OnEvents,
  signal: AbortSignal,
): Promise<void> => {
  const course = new Course(after, onEvents);
  while (!signal.aborted) {
    const { after: place, first } = course.place;
    const following = new Following(client, clock, place);
    let told: readonly Signal[] | undefined = first && [{ kind: 'event', event: first }];
    let misplaced = false;
    try {
      while (!signal.aborted) {
        if (told !== undefined) await course.take(told);
        // Otherwise a handler that never waits would block everything else until this reaches the head.
        await nextTurn();
        told = await following.next(BATCH, { silenceMs, live: true, signal }).catch((error: unknown) => {
          misplaced = isMisplaced(error) && told === undefined;
          return undefined;
        });
        if (told === undefined) break;
      }
    } finally {
      following.stop();
    }
    if (misplaced) await course.mend(reading).catch(() => {});
    else await clock.delay(PAUSE_MS, signal);
  }
};

/** @param onFailure receives what the handler threw, or that an event cannot be read */
export const startTail = (
  source: Source,
  after: number,
  onEvents: (events: readonly ParleyEvent[]) => Promise<void>,
  onFailure: (error: unknown) => void,
): Tail => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const passOn: OnEvents = async (recorded) => {
    const events: ParleyEvent[] = [];
    try {
      for (const one of recorded) events.push(toChecked(one));
    } catch (failure) {
      if (events.length > 0) await onEvents(events);
      throw failure;
    }
    await onEvents(events);
  };
  const ended = follow(source, after, passOn, signal).catch((error: unknown) => {
    if (!signal.aborted) onFailure(error);
  });
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
};

// The names and heads of all streams. The server keeps no list of them (decision 6).

interface HeadWaiter {
  readonly position: number;
  readonly end: (reached: boolean) => void;
}

export class Names {
  private readonly source: Source;
  private readonly heads = new Map<string, StreamHead>();
  /** All names in order, except new ones. */
  private sorted: string[] = [];
  private position = 0;
  private readonly waiting = new Set<HeadWaiter>();
  private readonly stopping = new AbortController();
  private following: Promise<void> | undefined;
  private failure: { readonly error: unknown } | undefined;

  constructor(source: Source) {
    this.source = source;
  }

  /**
   * Streams in name order. The first call reads the whole log; from then on it is followed.
   * @param through position the listing must have reached
   * @throws StoreUnavailable while it has not; also whatever kept it from reading the log
   */
  async list(
    query: { prefix?: string; after?: string; limit: number },
    through: number,
  ): Promise<readonly StreamHead[]> {
    this.following ??= this.follow();
    if (this.failure !== undefined) throw this.failure.error;
    if (this.position < through && !(await this.reached(through)))
      throw new StoreUnavailable('log', BUDGETS.kurrentdb.listing.retrySeconds);
    if (this.sorted.length < this.heads.size) this.sorted = [...this.heads.keys()].sort();
    const { prefix = '', after = '', limit } = query;
    const listed: StreamHead[] = [];
    for (
      let i = this.firstFrom(after > prefix ? after : prefix);
      i < this.sorted.length && listed.length < limit;
      i += 1
    ) {
      const name = this.sorted[i]!;
      if (!name.startsWith(prefix)) break;
      if (name > after) listed.push(this.heads.get(name)!);
    }
    return listed;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.giveUp();
    await this.following;
  }

  private async follow(): Promise<void> {
    try {
      await follow(this.source, 0, async (events) => this.learn(events), this.stopping.signal);
    } catch (error) {
      this.failure = { error };
      this.giveUp();
    }
  }

  private giveUp(): void {
    for (const { end } of this.waiting) end(false);
  }

  private learn(events: readonly AllStreamRecordedEvent[]): void {
    for (const event of events) {
      const stream = event.streamId;
      this.position = positionOf(event);
      this.heads.set(stream, { stream, sequence: sequenceOf(event), position: this.position });
    }
    for (const { position, end } of this.waiting) if (position <= this.position) end(true);
  }

  private reached(position: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (reached: boolean): void => {
        cancel();
        this.waiting.delete(waiting);
        resolve(reached);
      };
      const waiting = { position, end };
      const cancel = this.source.clock.setTimer(BUDGETS.kurrentdb.listing.waitMs, () => end(false));
      this.waiting.add(waiting);
    });
  }

  /** Index of the first name not before this one. */
  private firstFrom(name: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]! < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
