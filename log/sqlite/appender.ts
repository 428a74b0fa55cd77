/** Group commit: requests of one turn of the event loop share one transaction and one fsync. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { Batcher } from '../../stores/batcher.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { LogClosed, OutcomeUnknown, refusalOfText } from '../append-errors.ts';
import { type AppendError, type Appended, type AppendRequest, bytesOf, checkSequences } from '../port.ts';
import { appendError, RolledBack, type Writer } from './writer.ts';

const LOST = 'The event log failed and the process is ending.';

export class Appender {
  readonly #writer: Writer;
  readonly #onCommitted: (events: readonly ParleyEvent[]) => void;
  readonly #onFatal: (error: unknown) => void;
  readonly #batcher: Batcher<AppendRequest, Either<AppendError, Appended>>;
  /** Set by a commit whose outcome is unknown. */
  #lost = false;

  /**
   * @param onCommitted called for every commit, before any of its appenders is answered
   * @param onFatal called when a commit's outcome is unknown; nothing is appended after that
   */
  constructor(
    writer: Writer,
    onCommitted: (events: readonly ParleyEvent[]) => void,
    onFatal: (error: unknown) => void,
  ) {
    this.#writer = writer;
    this.#onCommitted = onCommitted;
    this.#onFatal = onFatal;
    this.#batcher = new Batcher({
      gather: 'turn',
      most: BUDGETS.log.commit,
      countOf: ({ events }) => events.length,
      bytesOf,
      commit: (requests) => this.#commit(requests),
      classify: (failure) => (failure instanceof RolledBack ? 'permanent' : 'damaged'),
      refuse: (failure) => either.left(appendError(failure instanceof RolledBack ? failure.cause : failure)),
    });
  }

  async append(request: AppendRequest): Promise<Either<AppendError, Appended>> {
    checkSequences(request);
    const refusal = refusalOfText(request);
    return refusal === undefined ? this.#batcher.add(request) : either.left(refusal);
  }

  /** Stores waiting batches and refuses later ones. */
  close(): Promise<void> {
    return this.#batcher.close(new LogClosed());
  }

  #commit(requests: readonly AppendRequest[]): readonly Either<AppendError, Appended>[] {
    if (this.#lost) throw new LogClosed(LOST);
    try {
      const { answers, events } = this.#writer.store(requests);
      if (events.length > 0) this.#onCommitted(events);
      return answers;
    } catch (failure) {
      if (failure instanceof RolledBack) throw failure;
      this.#lost = true;
      void this.#batcher.close(new LogClosed(LOST));
      this.#onFatal(failure);
      throw failure instanceof OutcomeUnknown ? failure : new OutcomeUnknown(failure);
    }
  }
}
