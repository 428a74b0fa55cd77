/** Last sequence of each stream, as the only writer knows it. */
import type Database from 'libsql';
import { LRUCache } from 'lru-cache';

export interface Head {
  /** The stream's number in the file; 0 while it has no events. */
  readonly id: number;
  readonly sequence: number;
  readonly position: number;
}

/** A head takes about 200 bytes; a stream beyond these costs one indexed read on its next append. */
const CACHED_STREAMS = 50_000;

const NO_EVENTS: Head = { id: 0, sequence: 0, position: 0 };

export class Heads {
  readonly #cached = new LRUCache<string, Head>({ max: CACHED_STREAMS });
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
