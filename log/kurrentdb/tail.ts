/** Following the log without end. Subscriptions do not reconnect, so a new one continues from the last place. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Position } from '@eventstore/db-client';
import { BUDGETS } from '../../stores/budgets.ts';
import type { ReadingConnection } from '../../stores/kurrentdb/reading-connection.ts';
import type { Tail } from '../port.ts';
import { isOurs, type Placed, positionOf, toPosition } from './events.ts';
import type { ForeignEvents } from './foreign.ts';
import type { Head } from './head.ts';
import type { Places } from './places.ts';
import type { Reading } from './reading.ts';
import { Following, type Signal } from './subscription.ts';

const BATCH = 1_000;
const { gathered, subscribeAgainMs } = BUDGETS.kurrentdb;

type OnEvents = (events: readonly Placed[]) => Promise<void>;

/** What a tail reads from, and whom it tells what it has seen. */
export interface Source {
  readonly connection: ReadingConnection;
  readonly reading: Reading;
  readonly places: Places;
  readonly head: Head;
  readonly foreign: ForeignEvents;
}

/** Passes on events beyond a position, each once even if delivered twice, and tracks where to continue. */
class Course {
  place: number | Position;
  private readonly from: number;
  private position: number;
  /** Position of the last event passed on. */
  private last = 0;
  private readonly source: Source;
  private readonly onEvents: OnEvents;

  constructor(source: Source, after: number, onEvents: OnEvents) {
    this.source = source;
    this.place = after;
    this.from = after;
    this.position = after;
    this.onEvents = onEvents;
  }

  async take(signals: readonly Signal[]): Promise<void> {
    const events: Placed[] = [];
    let through = 0;
    for (const told of signals) {
      if (told.kind === 'caught up') continue;
      // Keep both halves of a checkpoint: from its commit position alone, the event after it might be left out.
      this.place = told.kind === 'checkpoint' ? told.position : told.event.position;
      // A checkpoint with one half only says where a page began.
      if (told.kind === 'event' || told.position.prepare > 0n) through = toPosition(this.place.commit);
      if (told.kind === 'checkpoint') continue;
      const position = positionOf(told.event);
      if (position <= this.position) continue;
      if (isOurs(told.event)) {
        this.position = position;
        this.last = position;
        events.push(told.event);
      } else this.source.foreign.passed(told.event);
    }
    this.source.head.followed({ from: this.from, last: this.last, through });
    if (events.length > 0) await this.onEvents(events);
  }
}

/**
 * Passes on every event of ours beyond `after`, each once, in order, in batches of at most 1,000, the next once the
 * promise of the previous has resolved. Ends when the signal is aborted.
 * @throws only errors of `onEvents`
 */
export const follow = async (source: Source, after: number, onEvents: OnEvents, signal: AbortSignal): Promise<void> => {
  const { connection, reading, places } = source;
  const { clock, silenceMs } = reading;
  const course = new Course(source, after, onEvents);
  while (!signal.aborted) {
    const { line } = connection;
    const answered = <T>(answer: Promise<T>): Promise<T | undefined> =>
      new Promise((resolve) => {
        const end = (value?: T): void => {
          signal.removeEventListener('abort', given);
          resolve(value);
        };
        const given = (): void => end();
        signal.addEventListener('abort', given);
        answer.then(end, (error: unknown) => {
          connection.failed(line, error);
          end();
        });
      });
    const beginning = await answered(places.beginning(line, course.place));
    if (beginning !== undefined) {
      const { turns } = line;
      const following = new Following(line, clock, beginning.behind);
      const alive = async (): Promise<void> => {
        // The subscription stays with the server that it began with, however dead, and the answer comes from the next one.
        if (line.turns !== turns) throw new Error('KurrentDB has changed its leader');
        await reading.alive(line);
      };
      let told: readonly Signal[] | undefined =
        beginning.first === undefined ? [] : [{ kind: 'event', event: beginning.first }];
      try {
        while (told !== undefined && !signal.aborted) {
          await course.take(told);
          // Without a turn, a handler that never waits would block everything else until this reaches the head.
          if (told.length < gathered.events) await clock.delay(gathered.ms, signal);
          else await nextTurn();
          told = await answered(following.next(BATCH, { silenceMs, alive, signal }));
        }
      } finally {
        following.stop();
      }
    }
    await clock.delay(subscribeAgainMs, signal);
  }
};

/**
 * @param form gives an event in the form that `onEvents` takes
 * @param onFailure receives what the handler threw, or that an event cannot be read
 */
export const startTail = <E>(
  source: Source,
  after: number,
  form: (event: Placed) => E,
  onEvents: (events: readonly E[]) => Promise<void>,
  onFailure: (error: unknown) => void,
): Tail => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const passOn: OnEvents = async (recorded) => {
    const events: E[] = [];
    try {
      for (const one of recorded) events.push(form(one));
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
