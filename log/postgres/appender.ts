/** Group commit: batches that arrive during a commit form the next one. One connection, one round trip per commit. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Client } from 'pg';
import type { Clock } from '../../schemas/clock.ts';
import { recordedAs } from '../../schemas/envelope.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { Batcher } from '../../stores/batcher.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { retrying } from '../../stores/guard.ts';
import { connectTo } from '../../stores/postgres/connection.ts';
import { classify, isFull, isInDoubt } from '../../stores/postgres/failures.ts';
import { appendErrorOf, LogClosed, OutcomeUnknown, refusalOfText } from '../append-errors.ts';
import {
  type AppendError,
  type Appended,
  type AppendRequest,
  bytesOf,
  checkSequences,
  type StoredEvent,
} from '../port.ts';
import { APPEND, appendArguments, dataOf, type Stored, storedEvents } from './rows.ts';

type Answer = Either<AppendError, Appended>;

const { answerMs, triedMs, pauseMs, gather } = BUDGETS.postgres.append;

export class Appender {
  private readonly url: string;
  private readonly onCommitted: (events: number, stored: () => readonly StoredEvent[]) => void;
  private readonly batcher: Batcher<AppendRequest, Answer>;
  private readonly clock: Clock;
  private connection: Client | undefined;

  /** @param onCommitted is told how many events a commit has stored, and can have them as the log holds them */
  constructor(url: string, clock: Clock, onCommitted: (events: number, stored: () => readonly StoredEvent[]) => void) {
    this.url = url;
    this.clock = clock;
    this.onCommitted = onCommitted;
    this.batcher = new Batcher({
      gather: { ...gather, clock },
      most: BUDGETS.log.commit,
      countOf: ({ events }) => events.length,
      bytesOf,
      commit: (requests) => this.commit(requests),
      // What may be stored already is not stored again in parts.
      classify: (failure) => (failure instanceof OutcomeUnknown ? 'transient' : classify(failure)),
      refuse: (failure) => either.left(appendErrorOf(failure, classify, isFull)),
    });
  }

  async append(request: AppendRequest): Promise<Answer> {
    checkSequences(request);
    const refusal = refusalOfText(request);
    return refusal === undefined ? this.batcher.add(request) : either.left(refusal);
  }

  /** The server's process at the other end of the connection, if there is one. */
  get processId(): number | undefined {
    return (this.connection as (Client & { readonly processID?: number }) | undefined)?.processID;
  }

  /** Stores waiting batches and refuses later ones. */
  async close(): Promise<void> {
    await this.batcher.close(new LogClosed());
    await this.connection?.end();
  }

  private async commit(requests: readonly AppendRequest[]): Promise<readonly Answer[]> {
    const data = dataOf(requests);
    const answers = await this.store(requests, data);
    let events = 0;
    for (const answer of answers) if (either.isRight(answer)) events += answer.right.length;
    const firstOf = (batch: number) => {
      const answer = answers[batch]!;
      return either.isRight(answer) ? answer.right[0]?.position : undefined;
    };
    if (events > 0) this.onCommitted(events, () => storedEvents(requests, data, firstOf));
    return answers;
  }

  /**
   * When the outcome of a try is unknown (no answer came), the same commit is tried again, and counts as stored if it
   * is there.
   * @throws why nothing was stored; OutcomeUnknown when a try was not answered and no later one told what became of it
   */
  private async store(requests: readonly AppendRequest[], data: readonly string[]): Promise<readonly Answer[]> {
    const values = appendArguments(requests, data);
    const deadline = this.clock.monotonic() + triedMs;
    let inDoubt = false;
    const attempt = async (): Promise<Stored> => {
      this.connection ??= await this.connect();
      try {
        const question = { name: 'append', text: APPEND, values: [...values, inDoubt], rowMode: 'array' };
        const { rows } = await this.connection.query(question as never);
        return (rows as unknown as [Stored])[0];
      } catch (failure) {
        inDoubt ||= isInDoubt(failure);
        throw failure;
      }
    };
    const again = (failure: unknown): boolean => {
      if (isFull(failure) || classify(failure) !== 'transient') return false;
      this.lose();
      return this.clock.monotonic() < deadline;
    };
    try {
      const options = { clock: this.clock, again, firstMs: pauseMs, longestMs: pauseMs };
      return answersOf(requests, await retrying(attempt, options));
    } catch (failure) {
      throw inDoubt ? new OutcomeUnknown(failure) : failure;
    }
  }

  private async connect(): Promise<Client> {
    const onLost = (lost: Client) => {
      if (this.connection === lost) this.connection = undefined;
    };
    const connection = await connectTo(this.url, 'log', onLost, answerMs);
    // A try that nobody waits for any more ends, so that it cannot be carried out much later.
    await connection.query(`SET synchronous_commit = on; SET statement_timeout = ${answerMs}`);
    return connection;
  }

  /** A connection that did not answer may still answer later, so it is not used again. */
  private lose(): void {
    const connection = this.connection as (Client & { connection?: { stream: { destroy(): void } } }) | undefined;
    this.connection = undefined;
    connection?.connection?.stream.destroy();
  }
}

const answersOf = (requests: readonly AppendRequest[], [stored, actual, firsts]: Stored): readonly Answer[] =>
  requests.map(({ events }, i) => {
    if (stored?.[i] === false) return either.left({ kind: 'conflict', actual: Number(actual![i]) });
    const position = Number(firsts![i]);
    return either.right(events.map((event, n) => recordedAs(event, position + n, event.data) as ParleyEvent));
  });
