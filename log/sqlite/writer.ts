/** Stores batches: each call is one transaction, durable or rolled back as a whole. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type Database from 'libsql';
import { recordedAs } from '../../schemas/envelope.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { lru } from '../../schemas/lru.ts';
import { isOfSomeItems } from '../../stores/batcher.ts';
import { reasonOf } from '../../stores/guard.ts';
import { classify, isFatal, isFull } from '../../stores/sqlite/failures.ts';
import { insertingRows, type Value } from '../../stores/sqlite/statements.ts';
import { appendErrorOf, OutcomeUnknown } from '../append-errors.ts';
import type { AppendError, Appended, AppendRequest } from '../port.ts';
import { markInUse, noteVault, type VaultNote } from './notes.ts';
import { COLUMNS } from './rows.ts';
import { pushRow } from './schema.ts';

/** The answer to an appender whose batch was rolled back. */
export const appendError = (error: unknown): AppendError => appendErrorOf(error, classify, isFull);

/** Last sequence of a stream, as the only writer knows it. */
interface Head {
  /** The stream's number in the file; 0 while it has no events. */
  readonly id: number;
  readonly sequence: number;
  readonly position: number;
}

/** Heads cached, about 200 bytes each; any other stream costs one indexed read on its next append. */
const CACHED_STREAMS = 50_000;

const NO_EVENTS: Head = { id: 0, sequence: 0, position: 0 };

class Heads {
  readonly #cached = lru<string, Head>(CACHED_STREAMS);
  readonly #select: Database.Statement;

  constructor(database: Database.Database) {
    this.#select = database
      .prepare(
        `SELECT s.id, e.sequence, e.position FROM streams s JOIN events e ON e.stream = s.id
         WHERE s.name = ? ORDER BY e.sequence DESC LIMIT 1`,
      )
      .raw(true);
  }

  get(stream: string): Head {
    const cached = this.#cached.get(stream);
    if (cached !== undefined) return cached;
    const row = this.#select.get([stream]) as [number, number, number] | undefined;
    if (row === undefined) return NO_EVENTS;
    const head = { id: row[0], sequence: row[1], position: row[2] };
    this.#cached.set(stream, head);
    return head;
  }

  /** Only for heads whose events are committed. */
  set(stream: string, head: Head): void {
    this.#cached.set(stream, head);
  }
}

/** The process must end. */
export class LostCommit extends OutcomeUnknown {}

/** Nothing was stored because of a value in one of the batches; `cause` says which. */
export class RolledBack extends Error {}

export interface Committed {
  /** One answer for each request, in order. */
  readonly answers: readonly Either<AppendError, Appended>[];
  /** The events now in the log, in position order. */
  readonly events: readonly ParleyEvent[];
}

export interface WriterOptions {
  /** Why nothing may be stored now. */
  readonly hindered?: () => Error | undefined;
  /** Called with the reason when a transaction stored nothing because of the disk or the folder. */
  readonly onRefused?: (failure: unknown) => void;
}

export class Writer {
  readonly #heads: Heads;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  readonly #insertStream: Database.Statement;
  readonly #insertEvents: (values: readonly Value[]) => void;
  readonly #database: Database.Database;
  readonly #hindered: () => Error | undefined;
  readonly #onRefused: (failure: unknown) => void;
  #inUse = false;
  #vault: (() => VaultNote) | undefined;
  #noted: VaultNote | undefined;
  #position: number;
  #lastStreamId: number;

  constructor(database: Database.Database, { hindered = () => undefined, onRefused = () => {} }: WriterOptions = {}) {
    this.#database = database;
    this.#hindered = hindered;
    this.#onRefused = onRefused;
    this.#heads = new Heads(database);
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#rollback = database.prepare('ROLLBACK');
    this.#insertStream = database.prepare('INSERT INTO streams VALUES (?, ?)');
    this.#insertEvents = insertingRows(
      database,
      'events',
      COLUMNS.map(([name]) => name),
    );
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

  /** From now on each commit notes the vault, so that a later start recognises an older or foreign one. */
  pairWith(vault: () => VaultNote): void {
    this.#vault = vault;
    this.#noted = undefined;
  }

  /**
   * Handles the requests in order. One whose expected revision is not the stream's, counting earlier requests, gets a
   * conflict; the others are stored together.
   * @throws LostCommit when their outcome is unknown; RolledBack when one of them can never be stored
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
    const hindered = this.#hindered();
    if (hindered !== undefined) return this.#refuse(hindered);
    let phase: 'insert' | 'commit' = 'insert';
    try {
      if (!this.#inUse) this.#inUse = markInUse(this.#database);
      this.#begin.run([]);
      const vault = this.#vault?.();
      if (vault !== undefined && vault.revision !== this.#noted?.revision) noteVault(this.#database, vault);
      for (const stream of newStreams) this.#insertStream.run(stream);
      const values: Value[] = [];
      for (const [i, event] of events.entries()) pushRow(values, event, streamIds[i]!);
      this.#insertEvents(values);
      phase = 'commit';
      this.#commit.run([]);
      this.#noted = vault;
      return undefined;
    } catch (error) {
      if (isFatal(error, phase)) throw new LostCommit(error, 'The event log could not be written durably.');
      // SQLite has already rolled back after some errors, such as a full disk.
      if (this.#database.inTransaction) this.#rollback.run([]);
      if (isOfSomeItems(classify(error))) throw new RolledBack(reasonOf(error), { cause: error });
      return this.#refuse(error);
    }
  }

  #refuse(failure: unknown): AppendError {
    this.#onRefused(failure);
    return appendError(failure);
  }
}
