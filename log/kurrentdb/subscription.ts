/** One catch-up subscription to all events, as a sequence of events and progress signals. */

import type { EventType, ReadPosition } from '@eventstore/db-client';
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { Listening } from '../../stores/kurrentdb/listening.ts';
import { type Line, subscriptionError } from '../../stores/kurrentdb/reading-connection.ts';
import { type EventFilter, type Told, toldIn } from '../../stores/kurrentdb/subscription-messages.ts';
import { PageSize } from '../port.ts';
import { type Placed, positionOf } from './events.ts';

/** Records the server searches before it reports its progress, whether or not it found any. */
const WINDOW = 1_000;
/** Messages kept here while their reader is busy; after that, or after this many bytes, the server waits. */
const WAITING = 1_000;
const WAITING_BYTES = BUDGETS.log.readBytes;

export interface Wanted {
  readonly types?: readonly EventType['type'][] | undefined;
  readonly prefix?: string | undefined;
}

export type Signal =
  | { readonly kind: 'event'; readonly event: Placed }
  | Extract<Told, { readonly kind: 'checkpoint' | 'caught up' }>;

/** The server filters by only one of the two; types select more narrowly. */
const filterOf = ({ types, prefix }: Wanted): EventFilter => {
  if (types !== undefined) return { by: 'type', prefixes: types };
  if (prefix !== undefined && prefix !== '') return { by: 'stream', prefixes: [prefix] };
  return { by: 'type', regex: '^[^$].*' };
};

export interface FollowingOptions {
  readonly silenceMs: number;
  /** For a subscription that may stay silent once the server has confirmed it: rejects if the server is gone. */
  readonly alive?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

export class Following {
  private readonly opening: Promise<ClientReadableStream<Buffer>>;
  private call: ClientReadableStream<Buffer> | undefined;
  private readonly line: Line;
  private readonly clock: Clock;
  /** What has arrived and was not taken, from `next` on. */
  private messages: Buffer[] = [];
  private taken = 0;
  private bytes = 0;
  private failure: { readonly error: unknown } | undefined;
  private confirmed = false;
  private isStopped = false;
  private wake: () => void = () => {};

  /** @param behind exclusive: unlike reads, subscriptions leave out the record at the position itself */
  constructor(line: Line, clock: Clock, behind: ReadPosition, wanted: Wanted = {}) {
    this.line = line;
    this.clock = clock;
    this.opening = line.subscribe({ behind, filter: filterOf(wanted), window: WINDOW });
    this.opening.then(
      (call) => this.listen(call),
      (error: unknown) => this.fail(error),
    );
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
    this.isStopped = true;
    this.line.ended.removeEventListener('abort', this.givenUp);
    this.wake();
    // Not while grpc-js hands on a message. Rejects if there never was a connection.
    this.opening.then(
      (call) => setImmediate(() => call.cancel()),
      () => {},
    );
  }

  private listen(call: ClientReadableStream<Buffer>): void {
    this.call = call;
    call
      .on('data', (message: Buffer) => {
        if (this.isStopped) return;
        this.messages.push(message);
        this.bytes += message.length;
        if (this.messages.length - this.taken >= WAITING || this.bytes >= WAITING_BYTES) call.pause();
        this.wake();
      })
      .on('error', (error: Error) => this.fail(subscriptionError(error)))
      .on('end', () => this.fail(new Error('KurrentDB ended the subscription')));
  }

  private readonly givenUp = (): void => this.fail(new Error('The connection to KurrentDB was given up'));

  private fail(error: unknown): void {
    this.failure ??= { error };
    this.wake();
  }

  private take(most: number): Signal[] {
    const signals: Signal[] = [];
    const size = new PageSize(most);
    while (!size.isFull && this.taken < this.messages.length) {
      const message = this.messages[this.taken]!;
      this.taken += 1;
      this.bytes -= message.length;
      const told = toldIn(message);
      if (told === undefined) continue;
      if (told.kind === 'confirmed') {
        this.confirmed = true;
        continue;
      }
      signals.push(told);
      if (told.kind === 'event') this.line.seen = Math.max(this.line.seen, positionOf(told.event));
      size.add({ data: told.kind === 'event' ? told.event.data : null });
    }
    if (this.taken === this.messages.length) {
      this.messages = [];
      this.taken = 0;
      this.call?.resume();
    }
    return signals;
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
