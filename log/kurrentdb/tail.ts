/** Following the log without an end: subscriptions do not reconnect, so each goes on in a new one from its own place. */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { AllStreamRecordedEvent, EventStoreDBClient } from '@eventstore/db-client';
import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { Tail } from '../port.ts';
import { isMisplaced } from './connection.ts';
import { isOurs, positionOf } from './events.ts';
import { Following, type Signal } from './following.ts';
import { toChecked } from './reader.ts';
import { mendedPlaceOf, type Place, placeOf, type Reading } from './reading.ts';

const BATCH = 1_000;
const PAUSE_MS = 250;

type OnEvents = (events: readonly AllStreamRecordedEvent[]) => Promise<void>;

export interface Source {
  readonly client: EventStoreDBClient;
  readonly reading: Reading;
  readonly silenceMs: number;
}

/** Hands over events beyond a position, each once, whatever is told twice, and knows where to go on. */
class Course {
  place: Place;
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
      // Of a checkpoint both halves count: from its commit position alone, the event after it might be left out.
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

  /** The server did not take the position to begin at. */
  async mend(reading: Reading): Promise<void> {
    this.place = await mendedPlaceOf(reading, this.position);
  }
}

/**
 * Hands over every event of ours beyond `after`, each once, in order, in batches of at most 1,000, the next when the
 * promise of the one before has resolved. Ends when the signal is aborted.
 * @throws only what `onEvents` throws
 */
export const follow = async (
  { client, reading, silenceMs }: Source,
  after: number,
  onEvents: OnEvents,
  signal: AbortSignal,
): Promise<void> => {
  const course = new Course(after, onEvents);
  while (!signal.aborted) {
    const { after: place, first } = course.place;
    const following = new Following(client, place);
    let told: readonly Signal[] | undefined = first && [{ kind: 'event', event: first }];
    let misplaced = false;
    try {
      while (!signal.aborted) {
        if (told !== undefined) await course.take(told);
        // A handler that never waits for anything would otherwise keep everybody else waiting until this is at the head.
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
    else await delay(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
};

/** @param onFailure is told what the handler threw, or that an event cannot be read */
export const startTail = (
  source: Source,
  after: number,
  onEvents: (events: readonly ParleyEvent[]) => Promise<void>,
  onFailure: (error: unknown) => void,
): Tail => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const ended = follow(source, after, (events) => onEvents(events.map(toChecked)), signal).catch((error: unknown) => {
    if (!signal.aborted) onFailure(error);
  });
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
};
