/** One catch-up subscription to all events, as a sequence of events and progress signals. */

import {
  type AllStreamRecordedEvent,
  type AllStreamResolvedEvent,
  type AllStreamSubscription,
  type EventType,
  eventTypeFilter,
  excludeSystemEvents,
  type Filter,
  type Position,
  type ReadPosition,
  streamNameFilter,
} from '@eventstore/db-client';
import type { Clock } from '../../schemas/clock.ts';
import { Listening } from '../../stores/kurrentdb/listening.ts';
import type { Line } from '../../stores/kurrentdb/reading-connection.ts';
import { PageSize } from '../port.ts';
import { positionOf } from './events.ts';

/** Records the server searches before it reports its progress, whether or not it found any. */
const WINDOW = 1_000;
/** Events buffered here while their reader is busy; after that the server waits. */
const WAITING = 1_000;

export interface Wanted {
  readonly types?: readonly EventType['type'][] | undefined;
  readonly prefix?: string | undefined;
}

export type Signal =
  | { readonly kind: 'event'; readonly event: AllStreamRecordedEvent }
  /** Everything up to here has been searched. Only for subscribing again: it need not be the place of an event. */
  | { readonly kind: 'checkpoint'; readonly position: Position }
  /** Everything present when the subscription began has been delivered. */
  | { readonly kind: 'caught up' };

/** The server filters by only one of the two; types select more narrowly. */
const filterOf = ({ types, prefix }: Wanted, checkpointReached: NonNullable<Filter['checkpointReached']>): Filter => {
  const options = { maxSearchWindow: WINDOW, checkpointInterval: 1, checkpointReached };
  if (types !== undefined) return eventTypeFilter({ prefixes: [...types], ...options });
  if (prefix !== undefined && prefix !== '') return streamNameFilter({ prefixes: [prefix], ...options });
  return excludeSystemEvents(options);
};

const toSignal = (item: AllStreamResolvedEvent | Signal): Signal | undefined => {
  if ('kind' in item) return item;
  return item.event === undefined ? undefined : { kind: 'event', event: item.event };
};

export interface FollowingOptions {
  readonly silenceMs: number;
  /** For a subscription that may stay silent once the server has confirmed it: rejects if the server is gone. */
  readonly alive?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

export class Following {
  private readonly subscription: AllStreamSubscription;
  private readonly line: Line;
  private readonly clock: Clock;
  private failure: { readonly error: unknown } | undefined;
  private confirmed = false;
  private wake: () => void = () => {};

  /** @param behind exclusive: unlike reads, subscriptions leave out the record at the position itself */
  constructor(line: Line, clock: Clock, behind: ReadPosition, wanted: Wanted = {}) {
    this.line = line;
    this.clock = clock;
    // Signals go through the event queue, so they keep their place.
    const told = (signal: Signal): void => {
      this.subscription.push(signal);
    };
    const filter = filterOf(wanted, (_, position) => told({ kind: 'checkpoint', position }));
    const from = { fromPosition: behind, requiresLeader: true, filter };
    this.subscription = line.client.subscribeToAll(from, { highWaterMark: WAITING });
    const fail = (error: unknown): void => this.fail(error);
    this.subscription
      .on('confirmation', () => {
        this.confirmed = true;
        this.wake();
      })
      .on('error', fail)
      .on('end', () => fail(new Error('KurrentDB ended the subscription')))
      .on('readable', () => this.wake());
    this.subscription.on('caughtUp', () => told({ kind: 'caught up' }));
    line.ended.addEventListener('abort', this.givenUp);
    if (line.ended.aborted) this.givenUp();
  }

  /**
   * At most `most` events and signals that have arrived, and no more than a page has; waits until there is one.
   * @param waiting.silenceMs how long it waits; where it may be silent, it asks after half of that whether the server is alive
   * @returns an empty list when the signal was aborted
   * @throws the error that ended the subscription, or those of Listening
   */
  async next(most: number, { silenceMs, signal, alive }: FollowingOptions): Promise<readonly Signal[]> {
    const listening = new Listening(this.line, silenceMs);
    for (;;) {
      if (signal?.aborted) return [];
      const taken = this.take(most);
      if (taken.length > 0) {
        listening.heard();
        return taken;
      }
      if (this.failure !== undefined) throw this.failure.error;
      if (await this.more(silenceMs / 2, signal)) listening.heard();
      else if (alive !== undefined && this.confirmed) await alive();
      else listening.half();
    }
  }

  /** Drops whatever arrives later. */
  stop(): void {
    this.line.ended.removeEventListener('abort', this.givenUp);
    this.wake();
    // Rejects if there never was a connection.
    this.subscription.unsubscribe().catch(() => {});
  }

  private readonly givenUp = (): void => this.fail(new Error('The connection to KurrentDB was given up'));

  private fail(error: unknown): void {
    this.failure ??= { error };
    this.wake();
  }

  private take(most: number): Signal[] {
    const taken: Signal[] = [];
    const size = new PageSize(most);
    while (!size.isFull) {
      const item = this.subscription.read() as AllStreamResolvedEvent | Signal | null;
      if (item === null) break;
      const signal = toSignal(item);
      if (signal === undefined) continue;
      taken.push(signal);
      if (signal.kind === 'event') this.line.seen = Math.max(this.line.seen, positionOf(signal.event));
      size.add({ data: signal.kind === 'event' ? signal.event.data : null });
    }
    return taken;
  }

  /** @returns whether anything has happened; false after this many milliseconds without */
  private more(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (happened: boolean): void => {
        cancel();
        this.wake = () => {};
        signal?.removeEventListener('abort', done);
        resolve(happened);
      };
      const done = (): void => end(true);
      const cancel = this.clock.setTimer(ms, () => end(false));
      this.wake = done;
      signal?.addEventListener('abort', done);
    });
  }
}
