/** Our notes about the log (format and epoch), in a stream that readers never see. */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import type { Clock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { startTime } from '../../stores/kurrentdb/append-time.ts';
import type { Attempts } from './attempts.ts';
import { NOTES, proposed } from './events.ts';
import { EventsMissing } from './missing.ts';
import type { Reader } from './reader.ts';

const FORMAT = 1;

interface Note {
  readonly format: number;
  readonly epoch: string;
}

/** Nothing can be read where the server says that a note is: an operator has deleted or truncated the stream. */
class NotesGone extends Error {
  constructor(cause?: EventsMissing) {
    super(
      `An operator has deleted or truncated stream ${NOTES}, which tells the log's epoch. Restore it (remove $tb, $maxCount ` +
        `and $maxAge from its metadata) or the log from a backup.`,
      { cause },
    );
  }
}

export class Notes {
  private readonly attempts: Attempts;
  private readonly reader: Reader;
  private readonly clock: Clock;
  private readonly triedMs: number;

  /** @param triedMs how long writing a note may take, in milliseconds */
  constructor(attempts: Attempts, reader: Reader, triedMs: number, clock: Clock) {
    this.attempts = attempts;
    this.reader = reader;
    this.triedMs = triedMs;
    this.clock = clock;
  }

  /**
   * The log's epoch, set by whoever opens the log first.
   * @throws when a newer Parley wrote the log, its notes are gone, or they cannot be reached
   */
  async epoch(): Promise<string> {
    const known = await this.last();
    if (known !== undefined) return known.epoch;
    const epoch = randomUUID();
    const others = await this.write(epoch, 'no_stream');
    if (others === 0) return epoch;
    const first = await this.last();
    if (first === undefined) throw new NotesGone();
    return first.epoch;
  }

  /** @returns the new epoch, once durable. @throws like `epoch` */
  async renew(): Promise<string> {
    const epoch = randomUUID();
    for (;;) {
      const last = await this.last();
      const others = await this.write(epoch, last === undefined ? 'no_stream' : last.revision);
      if (others === 0) return epoch;
      if (last === undefined && (await this.last()) === undefined) throw new NotesGone();
    }
  }

  private async last(): Promise<(Note & { readonly revision: bigint }) | undefined> {
    const event = await this.reader.last(NOTES).catch((failure: unknown) => {
      throw failure instanceof EventsMissing ? new NotesGone(failure) : failure;
    });
    if (event === undefined) return undefined;
    const note = event.data as unknown as Note;
    if (note.format > FORMAT)
      throw new Error(
        `The event log has format ${note.format}; this Parley knows formats up to ${FORMAT}: start a newer one.`,
      );
    return { ...note, revision: event.revision };
  }

  /** @returns 0 once the note is durable, or how many events of other writers the stream has */
  private async write(epoch: string, expected: bigint | 'no_stream'): Promise<number> {
    const events = [proposed('epoch-began', { format: FORMAT, epoch })];
    const time = startTime(this.triedMs, this.clock);
    const answer = await this.attempts.store({ stream: NOTES, expected, events }, time).finally(time.end);
    if (either.isRight(answer)) return 0;
    const { left } = answer;
    if (left.kind === 'conflict') return left.actual;
    const failure = new Error('reason' in left ? left.reason : left.kind);
    if (left.kind === 'refused') throw failure;
    throw new StoreUnavailable('log', BUDGETS.kurrentdb.retrySeconds, { cause: failure });
  }
}
