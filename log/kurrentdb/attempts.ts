/** One append, tried until its outcome is known or its time is over. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { type Clock, unlessAborted } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { retrying } from '../../stores/guard.ts';
import { AppendFailed } from '../../stores/kurrentdb/append-failures.ts';
import { type Batch, lastRevisionOf } from '../../stores/kurrentdb/append-messages.ts';
import type { AppendTime } from '../../stores/kurrentdb/append-time.ts';
import type { AppendingConnection } from '../../stores/kurrentdb/appending-connection.ts';
import { classify } from '../../stores/kurrentdb/failures.ts';
import { appendErrorOf, OutcomeUnknown } from '../append-errors.ts';
import type { AppendError } from '../port.ts';
import { positionOf, toPosition } from './events.ts';
import { EventsMissing, ReadForbidden } from './missing.ts';
import type { Reader } from './reader.ts';

const { pauseMs } = BUDGETS.kurrentdb;

/** The server has stored the events elsewhere in the stream than where they were meant to be. */
export class StoredElsewhere extends Error {
  constructor(batch: Batch, last: bigint | undefined) {
    const place = last === undefined ? 'elsewhere' : `up to revision ${last}`;
    super(
      `An operator has deleted or truncated stream ${JSON.stringify(batch.stream)}: KurrentDB has stored ${place} what belongs ` +
        `up to revision ${lastRevisionOf(batch)}. This process writes nothing more to it: restore the stream, then restart`,
    );
  }
}

export interface Stored {
  /** Position of the batch's last event. */
  readonly position: number;
}

const isPassing = (failure: unknown): boolean => {
  if (failure instanceof StoredElsewhere || failure instanceof EventsMissing || failure instanceof ReadForbidden)
    return false;
  return failure instanceof AppendFailed ? failure.passing : classify(failure) === 'transient';
};

/** What is known of an append between its tries. */
class Knowledge {
  /** Whether a try may have stored the events. */
  inDoubt = false;
  failure: unknown;

  /** @param isOver whether the try failed because the time was over, which says less than an earlier failure */
  learn(failure: unknown, isOver: boolean): void {
    if (failure instanceof AppendFailed) this.inDoubt ||= failure.mayBeStored;
    if (!isOver || this.failure === undefined) this.failure = failure;
  }
}

export class Attempts {
  private readonly connection: AppendingConnection;
  private readonly reader: Reader;
  private readonly clock: Clock;

  constructor(connection: AppendingConnection, reader: Reader, clock: Clock) {
    this.connection = connection;
    this.reader = reader;
    this.clock = clock;
  }

  /**
   * When the outcome of a try is unknown, the same batch is tried again with the same ids and expected revision, so the
   * server recognizes the repetition. A conflict settles it: exactly these events are there, or never will be.
   * @throws StoredElsewhere
   */
  async store(batch: Batch, time: AppendTime): Promise<Either<AppendError, Stored>> {
    const { sending, waiting } = time;
    const known = new Knowledge();
    const attempt = async (): Promise<Either<AppendError, Stored>> => {
      try {
        return await this.tryOnce(batch, known, time);
      } catch (failure) {
        if (failure !== sending.reason && failure !== waiting.reason) known.learn(failure, waiting.aborted);
        throw failure;
      }
    };
    try {
      const again = (failure: unknown) => !sending.aborted && isPassing(failure);
      const pauses = { firstMs: pauseMs, longestMs: pauseMs };
      return await retrying(attempt, { clock: this.clock, signal: sending, again, ...pauses });
    } catch (failure) {
      if (failure instanceof StoredElsewhere) throw failure;
      return either.left(answerOf(known, sending.aborted ? (known.failure ?? this.connection.trouble) : failure));
    }
  }

  private async tryOnce(batch: Batch, known: Knowledge, time: AppendTime): Promise<Either<AppendError, Stored>> {
    const outcome = await this.connection.append(batch, time);
    const signal = time.waiting;
    const place = lastRevisionOf(batch);
    if (outcome.kind === 'conflict') {
      const { revision } = outcome;
      const there = known.inDoubt ? await this.at(place, batch, signal) : undefined;
      if (there !== undefined) return either.right(there);
      if (known.inDoubt && revision !== 'no_stream' && (await this.at(revision, batch, signal)) !== undefined)
        throw new StoredElsewhere(batch, revision);
      return either.left({ kind: 'conflict', actual: revision === 'no_stream' ? 0 : Number(revision) + 1 });
    }
    known.inDoubt = true;
    const { revision, position } = outcome;
    if (revision !== undefined && revision !== place) throw new StoredElsewhere(batch, revision);
    if (revision !== undefined && position !== undefined) return either.right({ position: toPosition(position) });
    // The server may leave these out of its answer to a repetition.
    const there = await this.at(place, batch, signal);
    if (there === undefined) throw new StoredElsewhere(batch, revision);
    return either.right(there);
  }

  /** Where the batch's last event is, if it has this revision. It is stored with all the others. */
  private async at(revision: bigint, batch: Batch, signal: AbortSignal): Promise<Stored | undefined> {
    const range = { fromRevision: revision, direction: 'forwards', maxCount: 1 } as const;
    const { found } = await unlessAborted(this.reader.recorded(batch.stream, range), signal);
    const [event] = found;
    // No other append has its id.
    return event?.revision === revision && event.id === batch.events.at(-1)!.id
      ? { position: positionOf(event) }
      : undefined;
  }
}

const answerOf = ({ inDoubt }: Knowledge, failure: unknown): AppendError => {
  if (inDoubt) return appendErrorOf(new OutcomeUnknown(failure), classify);
  if (failure instanceof AppendFailed)
    return { kind: failure.passing ? 'unavailable' : 'refused', reason: failure.message };
  return appendErrorOf(failure, classify);
};
