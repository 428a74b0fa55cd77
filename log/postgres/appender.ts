/** Group commit: what waits while one commit is under way is the next one. One connection, one round trip a commit. */

import { setTimeout as delay } from 'node:timers/promises';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Client } from 'pg';
import { recordedAs } from '../../schemas/envelope.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { reasonOf } from '../../stores/guard.ts';
import { connectTo } from '../../stores/postgres/connection.ts';
import { classify, isFull } from '../../stores/postgres/failures.ts';
import { type AppendError, type Appended, type AppendRequest, checkSequences } from '../port.ts';
import { APPEND, appendArguments, type Stored } from './rows.ts';

type Answer = Either<AppendError, Appended>;

interface Waiting {
  readonly request: AppendRequest;
  readonly resolve: (answer: Answer) => void;
}

/** How long one commit is tried: then its writers are told to come again. */
const TRIED_MS = 4000;
const PAUSE_MS = 100;
/** Events of one commit; more wait for the next. */
const MOST_EVENTS = 5000;
/**
 * From one commit to the next at least, while fewer wait than are worth a commit: a commit of eight events costs both sides
 * almost as much as one of thirty. Measured with 8 ms: 350 commits a second became 120, which left a sixth of a core to others.
 */
const GATHER_MS = 4;
const ENOUGH = 32;

const unavailable = (reason: string): Answer => either.left({ kind: 'unavailable', reason });

export class Appender {
  private readonly url: string;
  private readonly onCommitted: (events: number) => void;
  private waiting: Waiting[] = [];
  private committing: Promise<void> | undefined;
  private connection: Client | undefined;
  private closed = false;
  private began = Number.NEGATIVE_INFINITY;

  constructor(url: string, onCommitted: (events: number) => void) {
    this.url = url;
    this.onCommitted = onCommitted;
  }

  append(request: AppendRequest): Promise<Answer> {
    return new Promise((resolve) => {
      checkSequences(request);
      if (this.closed) {
        resolve(unavailable('The event log is closed.'));
        return;
      }
      this.waiting.push({ request, resolve });
      this.committing ??= this.commitAll();
    });
  }

  /** Stores what waits and refuses what comes later. */
  async close(): Promise<void> {
    this.closed = true;
    await this.committing;
    await this.connection?.end();
  }

  private async commitAll(): Promise<void> {
    // Whoever appends in the same turn joins the first commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      await this.gather();
      this.began = performance.now();
      await this.commit(this.take());
    }
    this.committing = undefined;
  }

  private async gather(): Promise<void> {
    const restMs = this.began + GATHER_MS - performance.now();
    if (restMs > 0 && this.waiting.length < ENOUGH && !this.closed) await delay(restMs);
  }

  private take(): readonly Waiting[] {
    let events = 0;
    let count = 0;
    while (count < this.waiting.length && events < MOST_EVENTS) {
      events += this.waiting[count]!.request.events.length;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private async commit(taken: readonly Waiting[]): Promise<void> {
    const requests = taken.map(({ request }) => request);
    const answers = await this.store(requests);
    let events = 0;
    for (const [i, answer] of answers.entries()) {
      if (either.isRight(answer)) events += answer.right.length;
      taken[i]!.resolve(answer);
    }
    if (events > 0) this.onCommitted(events);
  }

  /**
   * Where the outcome of a try is unknown (no answer came) the very same is tried again, and counts as stored when it is
   * there. After the deadline it counts as not stored: whoever asks again with its key is told the truth.
   */
  private async store(requests: readonly AppendRequest[]): Promise<readonly Answer[]> {
    const values = appendArguments(requests);
    const deadline = Date.now() + TRIED_MS;
    for (let again = false; ; again = true) {
      try {
        this.connection ??= await this.connect();
        const { rows } = await this.connection.query({
          name: 'append',
          text: APPEND,
          values: [...values, again],
          rowMode: 'array',
        } as never);
        return answersOf(requests, (rows as unknown as [Stored])[0]);
      } catch (error) {
        if (isFull(error)) return requests.map(() => either.left({ kind: 'full' }));
        const final = classify(error) !== 'transient';
        if (!final) this.lose();
        if (final || Date.now() >= deadline) return requests.map(() => unavailable(reasonOf(error)));
        await delay(PAUSE_MS);
      }
    }
  }

  private async connect(): Promise<Client> {
    const connection = await connectTo(this.url, 'log', (lost) => {
      if (this.connection === lost) this.connection = undefined;
    });
    await connection.query('SET synchronous_commit = on');
    return connection;
  }

  /** A connection that answered nothing may still answer later: it is not used again. */
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
