/** Appending: many streams at once over one connection, one batch per stream at a time. */

import { ErrorType, type JSONEventData, type Position, type WrongExpectedVersionError } from '@eventstore/db-client';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Clock } from '../../schemas/clock.ts';
import { recordedAs } from '../../schemas/envelope.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { retrying } from '../../stores/guard.ts';
import type { AppendingConnection } from '../../stores/kurrentdb/connection.ts';
import { classify, isUnsent, typeOf } from '../../stores/kurrentdb/failures.ts';
import { appendErrorOf, LogClosed, OutcomeUnknown, refusalOfData, refusalOfText } from '../append-errors.ts';
import { type AppendError, type Appended, type AppendRequest, checkSequences } from '../port.ts';
import { toPosition, toProposed } from './events.ts';
import type { Reader } from './reader.ts';

type Answer = Either<AppendError, Appended>;

interface QueuedAppend {
  readonly request: AppendRequest;
  readonly resolve: (answer: Answer) => void;
}

const isConflict = (error: unknown): error is WrongExpectedVersionError =>
  typeOf(error) === ErrorType.WRONG_EXPECTED_VERSION;

const refusalOf = (error: unknown): Answer => {
  if (!isConflict(error)) return either.left(appendErrorOf(error, classify));
  const { actualVersion } = error;
  return either.left({ kind: 'conflict', actual: typeof actualVersion === 'bigint' ? Number(actualVersion) + 1 : 0 });
};

export class Appender {
  private readonly connection: AppendingConnection;
  private readonly reader: Reader;
  private readonly triedMs: number;
  private readonly clock: Clock;
  private readonly onCommitted: (events: number) => void;
  private readonly queues = new Map<string, QueuedAppend[]>();
  /** Streams whose next batch can be sent. */
  private readonly due: string[] = [];
  private running = 0;
  private closed: (() => void) | undefined;

  /** @param triedMs how long one batch is retried, in milliseconds */
  constructor(
    connection: AppendingConnection,
    reader: Reader,
    triedMs: number,
    clock: Clock,
    onCommitted: (events: number) => void,
  ) {
    this.connection = connection;
    this.reader = reader;
    this.triedMs = triedMs;
    this.clock = clock;
    this.onCommitted = onCommitted;
  }

  append(request: AppendRequest): Promise<Answer> {
    return new Promise((resolve) => {
      checkSequences(request);
      // What cannot be written as JSON, the client would report where nobody can catch it.
      const refusal =
        this.closed === undefined
          ? (refusalOfText(request) ?? refusalOfData(request))
          : appendErrorOf(new LogClosed(), classify);
      if (refusal !== undefined) {
        resolve(either.left(refusal));
        return;
      }
      const queue = this.queues.get(request.stream);
      if (queue === undefined) {
        this.queues.set(request.stream, [{ request, resolve }]);
        this.due.push(request.stream);
        this.send();
      } else queue.push({ request, resolve });
    });
  }

  /** Stores waiting batches and refuses later ones. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.closed = resolve;
      if (this.running === 0) resolve();
    });
  }

  private send(): void {
    while (this.running < BUDGETS.kurrentdb.streams && this.due.length > 0) {
      this.running += 1;
      void this.sendNextOf(this.due.shift()!);
    }
    if (this.running === 0) this.closed?.();
  }

  private async sendNextOf(stream: string): Promise<void> {
    const queue = this.queues.get(stream)!;
    const { request, resolve } = queue.shift()!;
    const answer = await this.store(request);
    if (either.isRight(answer)) this.onCommitted(answer.right.length);
    resolve(answer);
    if (queue.length > 0) this.due.push(stream);
    else this.queues.delete(stream);
    this.running -= 1;
    this.send();
  }

  /**
   * When the outcome of a try is unknown, the same batch is tried again with the same ids and expected revision, so the
   * server recognizes the repetition. A conflict settles it: exactly these events are there, or never will be.
   */
  private async store(request: AppendRequest): Promise<Answer> {
    const events = request.events.map(toProposed);
    const expectedRevision = request.expected === 0 ? 'no_stream' : BigInt(request.expected - 1);
    const deadline = this.clock.monotonic() + this.triedMs;
    /** Whether an earlier try may have stored the events. */
    let inDoubt = false;
    const append = async (): Promise<{ readonly position?: Position }> => {
      try {
        return await this.connection.append(request.stream, events, expectedRevision);
      } catch (error) {
        const there = inDoubt && isConflict(error) && (await this.there(request, events));
        if (there) return there;
        inDoubt ||= classify(error) === 'transient' && !isUnsent(error);
        throw error;
      }
    };
    const attempt = async (): Promise<Answer> => {
      const result = await append();
      inDoubt = true;
      return either.right(appendedAt(request, await this.positionIn(request, result)));
    };
    const again = (error: unknown): boolean => classify(error) === 'transient' && this.clock.monotonic() < deadline;
    try {
      return await retrying(attempt, {
        clock: this.clock,
        again,
        firstMs: BUDGETS.kurrentdb.pauseMs,
        longestMs: BUDGETS.kurrentdb.pauseMs,
      });
    } catch (error) {
      return refusalOf(inDoubt && !isConflict(error) ? new OutcomeUnknown(error) : error);
    }
  }

  /** Position of the batch's last event. The server may leave it out of its answer to a repetition. */
  private async positionIn({ stream }: AppendRequest, { position }: { readonly position?: Position }): Promise<number> {
    return position === undefined ? (await this.reader.streamHead(stream)).position : toPosition(position.commit);
  }

  /** The answer the server would have given, if exactly these events are stored. */
  private async there({ stream, expected, events }: AppendRequest, proposed: readonly JSONEventData[]) {
    const { found } = await this.reader.recorded(stream, {
      fromRevision: BigInt(expected + events.length - 1),
      direction: 'forwards',
      maxCount: 1,
    });
    // The last of an append is stored with all the others, and no other append has its id.
    const [last] = found;
    return last?.id === proposed.at(-1)!.id ? (last as { readonly position?: Position }) : undefined;
  }
}

/** The server returns the position of a batch's last event only, which is at or after each of them. */
const appendedAt = ({ events }: AppendRequest, position: number): Appended =>
  events.map((event) => recordedAs(event, position, event.data) as ParleyEvent);
