/** One catch-up subscription to all events, as a sequence of events and progress signals. */

import {
  type AllStreamRecordedEvent,
  type AllStreamResolvedEvent,
  type AllStreamSubscription,
  type EventStoreDBClient,
  type EventType,
  eventTypeFilter,
  excludeSystemEvents,
  type Filter,
  type Position,
  type ReadPosition,
  streamNameFilter,
} from '@eventstore/db-client';
import type { Clock } from '../../schemas/clock.ts';
import { NoAnswer } from '../../stores/kurrentdb/failures.ts';
import { PageSize } from '../port.ts';

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
  readonly live?: boolean;
  readonly signal?: AbortSignal;
}

export class Following {
  private readonly subscription: AllStreamSubscription;
  private readonly clock: Clock;
  private failure: { readonly error: unknown } | undefined;
  private confirmed = false;
  private wake: () => void = () => {};

  /** @param after exclusive: unlike reads, subscriptions leave out the event at the position itself */
  constructor(client: EventStoreDBClient, clock: Clock, after: ReadPosition, wanted: Wanted = {}) {
    this.clock = clock;
    // Signals go through the event queue, so they keep their place.
    const told = (signal: Signal): void => {
      this.subscription.push(signal);
    };
    const filter = filterOf(wanted, (_, position) => told({ kind: 'checkpoint', position }));
    const from = { fromPosition: after, requiresLeader: true, filter };
    this.subscription = client.subscribeToAll(from, { highWaterMark: WAITING });
    const fail = (error: unknown): void => {
      this.failure ??= { error };
      this.wake();
    };
    this.subscription
      .on('confirmation', () => {
        this.confirmed = true;
        this.wake();
      })
      .on('error', fail)
      .on('end', () => fail(new Error('KurrentDB ended the subscription')))
      .on('readable', () => this.wake());
    this.subscription.on('caughtUp', () => told({ kind: 'caught up' }));
  }

  /**
   * At most `most` events and signals that have arrived, and no more than a page has; waits until there is one.
   * @param waiting.silenceMs how long it waits
   * @param waiting.live whether to wait for ever once the server has confirmed the subscription
   * @returns an empty list when the signal was aborted
   * @throws the error that ended the subscription, or NoAnswer
   */
  async next(most: number, { silenceMs, signal, live = false }: FollowingOptions): Promise<readonly Signal[]> {
    for (;;) {
      if (signal?.aborted) return [];
      const taken = this.take(most);
      if (taken.length > 0) return taken;
      if (this.failure !== undefined) throw this.failure.error;
      await this.more(live && this.confirmed ? undefined : silenceMs, signal);
    }
  }

  /** Drops whatever arrives later. */
  stop(): void {
    this.wake();
    // Rejects if there never was a connection.
    this.subscription.unsubscribe().catch(() => {});
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
      size.add({ data: signal.kind === 'event' ? signal.event.data : null });
    }
    return taken;
  }

  private more(silenceMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const late = (): void => {
        reject(new NoAnswer(silenceMs!));
        done();
      };
      const cancel = silenceMs === undefined ? () => {} : this.clock.setTimer(silenceMs, late);
      this.wake = done;
      signal?.addEventListener('abort', done);
    });
  }
}
