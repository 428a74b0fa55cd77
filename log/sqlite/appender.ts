/** Group commit: requests that come in one turn of the event loop share one transaction and one fsync. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { ParleyEvent } from '../../schemas/events/index.ts';
import { checkSequences } from '../check-sequences.ts';
import type { AppendError, Appended, AppendRequest } from '../port.ts';
import type { Writer } from './writer.ts';

interface Waiting {
  readonly request: AppendRequest;
  readonly resolve: (answer: Either<AppendError, Appended>) => void;
  readonly reject: (error: unknown) => void;
}

export class Appender {
  readonly #writer: Writer;
  readonly #onCommitted: (events: readonly ParleyEvent[]) => void;
  readonly #onFatal: (error: unknown) => void;
  #waiting: Waiting[] = [];
  #closed: string | undefined;

  /**
   * @param onCommitted told of every commit before any of its appenders is answered
   * @param onFatal told when a commit's outcome is unknown; nothing is appended after that
   */
  constructor(
    writer: Writer,
    onCommitted: (events: readonly ParleyEvent[]) => void,
    onFatal: (error: unknown) => void,
  ) {
    this.#writer = writer;
    this.#onCommitted = onCommitted;
    this.#onFatal = onFatal;
  }

  append(request: AppendRequest): Promise<Either<AppendError, Appended>> {
    return new Promise((resolve, reject) => {
      checkSequences(request);
      if (this.#closed !== undefined) {
        resolve(either.left({ kind: 'unavailable', reason: this.#closed }));
        return;
      }
      if (this.#waiting.length === 0) setImmediate(() => this.#commit());
      this.#waiting.push({ request, resolve, reject });
    });
  }

  /** Stores what waits and refuses what comes later. */
  close(): void {
    this.#commit();
    this.#closed ??= 'The event log is closed.';
  }

  #commit(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    try {
      const { answers, events } = this.#writer.store(waiting.map(({ request }) => request));
      if (events.length > 0) this.#onCommitted(events);
      for (let i = 0; i < waiting.length; i += 1) waiting[i]!.resolve(answers[i]!);
    } catch (error) {
      // Neither stored nor not stored: no answer would be true.
      this.#closed = 'The event log failed and the process is ending.';
      this.#onFatal(error);
      for (const { reject } of waiting) reject(error);
    }
  }
}
