/** Appending: many streams at once over one connection, one batch per stream at a time. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Clock } from '../../schemas/clock.ts';
import { recordedAs } from '../../schemas/envelope.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { reasonOf } from '../../stores/guard.ts';
import { type AppendFailed, tooLarge } from '../../stores/kurrentdb/append-failures.ts';
import { type Batch, bytesOf, messageBytesOf } from '../../stores/kurrentdb/append-messages.ts';
import { type AppendTime, startTime } from '../../stores/kurrentdb/append-time.ts';
import { LogClosed, refusalOfText } from '../append-errors.ts';
import { type AppendError, type Appended, type AppendRequest, checkSequences } from '../port.ts';
import { type Attempts, type Stored, StoredElsewhere } from './attempts.ts';
import { toProposed } from './events.ts';

type Answer = Either<AppendError, Appended>;

/** An append from its request to its answer. */
interface Append {
  readonly request: AppendRequest;
  readonly batch: Batch;
  readonly time: AppendTime;
  readonly answer: (answer: Answer) => void;
}

export interface AppenderOptions {
  /** From an append to its answer, in milliseconds. */
  readonly triedMs: number;
  readonly maxAppendBytes: number;
  readonly clock: Clock;
  /** Hears how many events each append has made durable. */
  readonly onCommitted: (events: number) => void;
  /** Why an append that was never sent had to wait. */
  readonly trouble: () => AppendFailed;
}

const refused = (reason: string): Either<AppendError, never> => either.left({ kind: 'refused', reason });

/** The data is made JSON here, so what cannot be JSON fails before anything is sent. */
const batchOf = ({ stream, expected, events }: AppendRequest): Either<AppendError, Batch> => {
  try {
    return either.right({
      stream,
      expected: expected === 0 ? 'no_stream' : BigInt(expected - 1),
      events: events.map(toProposed),
    });
  } catch (failure) {
    return either.left({ kind: 'refused', reason: reasonOf(failure) });
  }
};

const { serverMessageBytes } = BUDGETS.kurrentdb;

const sizeRefusalOf = (batch: Batch, maxAppendBytes: number): AppendFailed | undefined => {
  const about = { stream: batch.stream, bytes: bytesOf(batch) };
  if (about.bytes > maxAppendBytes) return tooLarge(about, maxAppendBytes, 'PARLEY_LOG_MAX_APPEND_BYTES allows');
  const bytes = messageBytesOf(batch);
  if (bytes <= serverMessageBytes) return undefined;
  return tooLarge(about, serverMessageBytes, `with metadata ${bytes}, and a server takes messages of`);
};

/** The server returns the position of a batch's last event only, which is at or after each of them. */
const appendedAt = ({ events }: AppendRequest, { position }: Stored): Appended =>
  events.map((event) => recordedAs(event, position, event.data) as ParleyEvent);

export class Appender {
  private readonly attempts: Attempts;
  private readonly options: AppenderOptions;
  /** Those that wait for an earlier one of their stream, or for their turn. */
  private readonly queues = new Map<string, Append[]>();
  /** Streams whose next append can be sent. */
  private readonly due: string[] = [];
  /** Streams that take nothing more, and why. */
  private readonly stopped = new Map<string, string>();
  private running = 0;
  private unanswered = 0;
  private closed: (() => void) | undefined;

  constructor(attempts: Attempts, options: AppenderOptions) {
    this.attempts = attempts;
    this.options = options;
  }

  append(request: AppendRequest): Promise<Answer> {
    return new Promise((resolve) => {
      checkSequences(request);
      const made = this.refusalOf(request) ?? batchOf(request);
      if (either.isLeft(made)) resolve(made);
      else this.queue(request, made.right, resolve);
    });
  }

  /** Refuses later appends. Resolves when all others are answered. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.closed = resolve;
      if (this.unanswered === 0) resolve();
    });
  }

  private refusalOf({ stream, events, expected }: AppendRequest): Either<AppendError, never> | undefined {
    if (this.closed !== undefined) return either.left({ kind: 'unavailable', reason: reasonOf(new LogClosed()) });
    const stopped = this.stopped.get(stream);
    if (stopped !== undefined) return refused(stopped);
    const refusal = refusalOfText({ stream, events, expected });
    return refusal && either.left(refusal);
  }

  private queue(request: AppendRequest, batch: Batch, resolve: (answer: Answer) => void): void {
    const { clock, triedMs, maxAppendBytes } = this.options;
    const { stream } = request;
    const large = sizeRefusalOf(batch, maxAppendBytes);
    if (large !== undefined) {
      resolve(refused(large.message));
      return;
    }
    const time = startTime(triedMs, clock);
    this.unanswered += 1;
    const answer = (given: Answer): void => {
      time.end();
      resolve(given);
      this.unanswered -= 1;
      if (this.unanswered === 0) this.closed?.();
    };
    const append = { request, batch, time, answer };
    let queue = this.queues.get(stream);
    if (queue === undefined) {
      queue = [];
      this.queues.set(stream, queue);
      this.due.push(stream);
    }
    queue.push(append);
    time.sending.addEventListener('abort', () => this.leave(append));
    this.send();
  }

  /** An append may not be sent any more. One that is under way is answered by its attempts. */
  private leave(append: Append): void {
    const queue = this.queues.get(append.request.stream) ?? [];
    const place = queue.indexOf(append);
    if (place === -1) return;
    queue.splice(place, 1);
    append.answer(either.left({ kind: 'unavailable', reason: this.options.trouble().message }));
  }

  private send(): void {
    while (this.running < BUDGETS.kurrentdb.streams && this.due.length > 0) {
      const stream = this.due.shift()!;
      const queue = this.queues.get(stream)!;
      const next = queue.shift();
      if (next === undefined) this.queues.delete(stream);
      else void this.run(stream, queue, next);
    }
  }

  private async run(stream: string, queue: readonly Append[], append: Append): Promise<void> {
    this.running += 1;
    append.answer(await this.store(append));
    this.running -= 1;
    if (queue.length > 0) this.due.push(stream);
    else this.queues.delete(stream);
    this.send();
  }

  private async store({ request, batch, time }: Append): Promise<Answer> {
    // It may have stopped while this one waited.
    const stopped = this.stopped.get(request.stream);
    if (stopped !== undefined) return refused(stopped);
    try {
      const answer = await this.attempts.store(batch, time);
      if (either.isLeft(answer)) return answer;
      this.options.onCommitted(request.events.length);
      return either.right(appendedAt(request, answer.right));
    } catch (failure) {
      const reason = reasonOf(failure);
      if (failure instanceof StoredElsewhere) this.stopped.set(request.stream, reason);
      return either.left({ kind: 'unknown', reason });
    }
  }
}
