/** Stores batches: everything handed over at once is one transaction, durable or rolled back as a whole. */
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type Database from 'libsql';
import { recordedAs } from '../../schemas/envelope.ts';
import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { AppendError, Appended, AppendRequest } from '../port.ts';
import { appendError, isFatal } from './failures.ts';
import { type Head, Heads } from './heads.ts';
import { COLUMNS, pushRow } from './rows.ts';

/** Rows of one insert statement: fewer calls, measured 5-10 % faster than single rows; longer statements gain nothing more. */
const ROWS_AT_ONCE = 16;

const ROW = `(${Array(COLUMNS).fill('?').join(', ')})`;

/** The commit's outcome is unknown; the process must end. */
export class LostCommit extends Error {}

export interface Committed {
  /** One answer for each request, in order. */
  readonly answers: readonly Either<AppendError, Appended>[];
  /** What is now in the log, in position order. */
  readonly events: readonly ParleyEvent[];
}

export class Writer {
  readonly #heads: Heads;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  readonly #insertStream: Database.Statement;
  readonly #insertOne: Database.Statement;
  readonly #insertMany: Database.Statement;
  readonly #database: Database.Database;
  #position: number;
  #lastStreamId: number;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#heads = new Heads(database);
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#rollback = database.prepare('ROLLBACK');
    this.#insertStream = database.prepare('INSERT INTO streams VALUES (?, ?)');
    this.#insertOne = database.prepare(`INSERT INTO events VALUES ${ROW}`);
    this.#insertMany = database.prepare(`INSERT INTO events VALUES ${Array(ROWS_AT_ONCE).fill(ROW).join(', ')}`);
    const [position, streamId] = database
      .prepare('SELECT (SELECT max(position) FROM events), (SELECT max(id) FROM streams)')
      .raw(true)
      .get() as [number | null, number | null];
    this.#position = position ?? 0;
    this.#lastStreamId = streamId ?? 0;
  }

  /** Position of the last committed event. */
  get position(): number {
    return this.#position;
  }

  head(stream: string): Head {
    return this.#heads.get(stream);
  }

  /**
   * Carries out the requests in order. Those whose expected revision is not the stream's, counting the requests before
   * them, are answered with a conflict; the others are stored together.
   * @throws LostCommit when nobody can know whether they were stored
   */
  store(requests: readonly AppendRequest[]): Committed {
    const answers: Either<AppendError, Appended>[] = [];
    const events: ParleyEvent[] = [];
    const moved = new Map<string, Head>();
    const newStreams: (readonly [id: number, name: string])[] = [];
    const streamIds: number[] = [];
    for (const request of requests) {
      const head = moved.get(request.stream) ?? this.#heads.get(request.stream);
      if (head.sequence !== request.expected) {
        answers.push(either.left({ kind: 'conflict', actual: head.sequence }));
        continue;
      }
      let { id } = head;
      if (id === 0) {
        id = this.#lastStreamId + newStreams.length + 1;
        newStreams.push([id, request.stream]);
      }
      const appended: ParleyEvent[] = [];
      for (const event of request.events) {
        const recorded = recordedAs(event, this.#position + events.length + 1, event.data) as ParleyEvent;
        appended.push(recorded);
        events.push(recorded);
        streamIds.push(id);
      }
      const last = appended.at(-1)!;
      moved.set(request.stream, { id, sequence: last.sequence, position: last.position });
      answers.push(either.right(appended));
    }
    if (events.length === 0) return { answers, events };

    const failure = this.#transaction(events, streamIds, newStreams);
    if (failure !== undefined)
      return { answers: answers.map((answer) => (either.isLeft(answer) ? answer : either.left(failure))), events: [] };
    this.#position += events.length;
    this.#lastStreamId += newStreams.length;
    for (const [stream, head] of moved) this.#heads.set(stream, head);
    return { answers, events };
  }

  #transaction(
    events: readonly ParleyEvent[],
    streamIds: readonly number[],
    newStreams: readonly (readonly [number, string])[],
  ): AppendError | undefined {
    let phase: 'insert' | 'commit' = 'insert';
    try {
      this.#begin.run([]);
      for (const stream of newStreams) this.#insertStream.run(stream);
      this.#insert(events, streamIds);
      phase = 'commit';
      this.#commit.run([]);
      return undefined;
    } catch (error) {
      if (isFatal(error, phase)) throw new LostCommit('The event log could not be written durably.', { cause: error });
      // SQLite has already rolled back after some errors, a full disk among them.
      if (this.#database.inTransaction) this.#rollback.run([]);
      return appendError(error);
    }
  }

  #insert(events: readonly ParleyEvent[], streamIds: readonly number[]): void {
    let i = 0;
    for (; i + ROWS_AT_ONCE <= events.length; i += ROWS_AT_ONCE) {
      const values: unknown[] = [];
      for (let row = i; row < i + ROWS_AT_ONCE; row += 1) pushRow(values, events[row]!, streamIds[row]!);
      this.#insertMany.run(values);
    }
    for (; i < events.length; i += 1) {
      const values: unknown[] = [];
      pushRow(values, events[i]!, streamIds[i]!);
      this.#insertOne.run(values);
    }
  }
}
