/** Reading committed events, through a separate connection. */

import type Database from 'libsql';
import { decodeEvent, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { lru } from '../../schemas/lru.ts';
import type { TimeSlices } from '../../schemas/time-slices.ts';
import {
  bytesOfEvent,
  checkLimit,
  type Page,
  PageSize,
  type ReadAll,
  type ReadStream,
  type StoredPage,
  type StreamHead,
} from '../port.ts';
import { toEvent } from '../rows.ts';
import { DamagedEvent, DamagedLog, damageOf, type Form, Rows, type SqliteRow, textOf } from './rows.ts';

/** The newest committed events in memory, so tails near the head do not read the disk. */
export class RecentEvents {
  readonly #slots: (ParleyEvent | undefined)[] = [];
  /** Of each slot, in bytes. Counting again what is dropped would cost as much as counting what comes. */
  readonly #sizes: number[] = [];
  readonly #most: { readonly count: number; readonly bytes: number };
  /** Position before the oldest event held. */
  #before: number;
  #head: number;
  /** Of the events held, approximately. */
  #bytes = 0;

  /** @param head position of the last event before those that will be pushed */
  constructor(head: number, most: { readonly count: number; readonly bytes: number }) {
    this.#before = head;
    this.#head = head;
    this.#most = most;
  }

  /** Position of the newest event of the log. */
  get head(): number {
    return this.#head;
  }

  /** Positions must be consecutive. */
  push(events: readonly ParleyEvent[]): void {
    const { count, bytes } = this.#most;
    for (const event of events) {
      if (this.#head - this.#before === count) this.#dropOldest();
      const slot = event.position % count;
      const size = bytesOfEvent(event);
      this.#slots[slot] = event;
      this.#sizes[slot] = size;
      this.#head += 1;
      this.#bytes += size;
      while (this.#bytes > bytes) this.#dropOldest();
    }
  }

  #dropOldest(): void {
    this.#before += 1;
    const slot = this.#before % this.#most.count;
    this.#bytes -= this.#sizes[slot]!;
    this.#slots[slot] = undefined;
  }

  /** Up to `limit` events beyond `position`; `undefined` when some are only on disk. */
  after(position: number, limit: number): readonly ParleyEvent[] | undefined {
    if (position < this.#before) return undefined;
    const events: ParleyEvent[] = [];
    const last = Math.min(this.#head, position + limit);
    for (let p = position + 1; p <= last; p += 1) events.push(this.#slots[p % this.#most.count]!);
    return events;
  }
}

/** Rows read in one step: half a millisecond. */
const ROWS_PER_STEP = 100;

/** Bytes of data read in one step, but one row at least: about 3 ms. */
const BYTES_PER_STEP = 524_288;

/** Rows that filters may skip in one step: about 2 ms. */
const SCANNED_PER_STEP = 4_000;

/** Heads looked up in one step: about half a millisecond. */
const HEADS_PER_STEP = 100;

/** Greater than every name that begins with `prefix`. */
const afterPrefix = (prefix: string): string => `${prefix}\u{10ffff}`;

/** Stream names cached, about 100 bytes each: looking them up for every event would take a quarter of a scan. */
const NAMES_KEPT = 20_000;

/** A hole in an order without holes: rows are missing, or an index is damaged. */
const refuseHole = (what: string, wanted: number, found: number): void => {
  if (found !== wanted) throw new DamagedLog(`${what} ${wanted} is missing, ${found} comes instead`);
};

/** @param expected number of rows from `after` on, whose positions follow each other */
const refuseHoles = (page: readonly SqliteRow<unknown>[], after: number, expected: number): void => {
  for (const [i, row] of page.entries()) refuseHole('position', after + i + 1, row[0]);
  if (page.length < expected) throw new DamagedLog(`position ${after + page.length + 1} is missing`);
};

export class Reader {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #reads = new Map<string, Rows<unknown>>();
  readonly #names = lru<number, string>(NAMES_KEPT);
  readonly #slices: TimeSlices;
  readonly #onDamage: (damage: Error) => void;
  readonly #nameOf = (stream: number): string => this.#name(stream);

  /**
   * @param slices shared by all reads, so that many small ones hold the event loop no longer than one large one
   * @param onDamage called with each failure to read events
   */
  constructor(database: Database.Database, slices: TimeSlices, onDamage: (damage: Error) => void = () => {}) {
    this.#database = database;
    this.#onDamage = onDamage;
    this.#slices = slices;
  }

  head(): number {
    const row = this.#prepare('SELECT max(position) FROM events').get() as [number | null];
    return row[0] ?? 0;
  }

  /** @param headOf the head of one stream, if somebody knows it better than the file */
  async streamHeads(
    streams: readonly string[],
    headOf: (stream: string) => StreamHead = (stream) => this.#head(stream),
  ): Promise<readonly StreamHead[]> {
    const heads: StreamHead[] = [];
    for (let at = 0; at < streams.length; at += HEADS_PER_STEP) {
      const some = streams.slice(at, at + HEADS_PER_STEP);
      heads.push(...(await this.#slices.step(() => some.map(headOf))));
    }
    return heads;
  }

  #head(stream: string): StreamHead {
    const statement = this.#prepare(
      `SELECT e.sequence, e.position FROM streams s JOIN events e ON e.stream = s.id
       WHERE s.name = ? ORDER BY e.sequence DESC LIMIT 1`,
    );
    const row = statement.get([stream]) as [number, number] | undefined;
    return { stream, sequence: row?.[0] ?? 0, position: row?.[1] ?? 0 };
  }

  async streams(query: { prefix?: string; after?: string; limit: number }): Promise<readonly StreamHead[]> {
    const prefix = query.prefix ?? '';
    const statement = this.#prepare(
      `SELECT CAST(s.name AS BLOB), e.sequence, e.position FROM streams s
       JOIN events e ON e.stream = s.id AND e.sequence = (SELECT max(sequence) FROM events WHERE stream = s.id)
       WHERE s.name >= ? AND s.name < ? AND s.name <> ? ORDER BY s.name LIMIT ?`,
    );
    const heads: StreamHead[] = [];
    let after = query.after ?? '';
    for (;;) {
      const want = Math.min(query.limit - heads.length, ROWS_PER_STEP);
      const from = after >= prefix ? after : prefix;
      const given = [from, afterPrefix(prefix), after, want];
      const rows = await this.#slices.step(() => statement.all(given) as [Buffer, number, number][]);
      for (const [name, sequence, position] of rows)
        heads.push({ stream: textOf(name, 'the name of a stream'), sequence, position });
      if (rows.length < want || heads.length >= query.limit) return heads;
      after = heads.at(-1)!.stream;
    }
  }

  readStream(query: ReadStream): Promise<readonly ParleyEvent[]> {
    return this.#telling(this.#readStream(query));
  }

  async #readStream({ stream, from, direction = 'forwards', limit }: ReadStream): Promise<readonly ParleyEvent[]> {
    checkLimit(limit);
    const found = this.#prepare('SELECT id FROM streams WHERE name = ?').get([stream]) as [number] | undefined;
    if (found === undefined) return [];
    const forwards = direction === 'forwards';
    const rows = this.#rows(
      'value',
      `events e WHERE e.stream = ? AND e.sequence ${forwards ? '>=' : '<='} ? ORDER BY e.sequence ${forwards ? 'ASC' : 'DESC'}`,
    );
    const events: ParleyEvent[] = [];
    const size = new PageSize(limit);
    let next = from ?? (forwards ? 1 : Number.MAX_SAFE_INTEGER);
    for (;;) {
      const isEnd = await this.#slices.step(() => {
        const given = [found[0], next];
        const { rows: page, asked } = rows.page(
          given,
          Math.min(size.left, ROWS_PER_STEP),
          BYTES_PER_STEP,
          this.#nameOf,
        );
        for (const row of page) {
          const previous = events.at(-1)?.sequence;
          if (previous !== undefined)
            refuseHole(`${stream} ${forwards ? '' : 'backwards '}sequence`, previous + (forwards ? 1 : -1), row[2]);
          const event = decodeEvent(toEvent(row, stream));
          events.push(event);
          size.add(event);
          if (size.isFull) break;
        }
        return page.length < asked;
      });
      if (isEnd || size.isFull) return events;
      next = events.at(-1)!.sequence + (forwards ? 1 : -1);
    }
  }

  readAll(query: ReadAll): Promise<Page> {
    return this.#telling(
      this.#scan(query, 'value', (row: SqliteRow<unknown>, stream) => decodeEvent(toEvent(row, stream))),
    );
  }

  rawAll(query: ReadAll, form: 'text' | 'checked text' = 'text'): Promise<StoredPage> {
    return this.#telling(this.#scan(query, form, (row: SqliteRow<string>, stream) => toEvent(row, stream)));
  }

  async #scan<E extends { readonly data: unknown }, Data>(
    query: ReadAll,
    data: Form,
    form: (row: SqliteRow<Data>, stream: string) => E,
  ): Promise<{ events: readonly E[]; through: number }> {
    const { types, prefix = '', limit } = query;
    const rows = this.#rows<Data>(
      data,
      `events e ${prefix === '' ? '' : 'CROSS JOIN streams s ON s.id = e.stream'}
       WHERE e.position > ? AND e.position <= ?
       ${types === undefined ? '' : `AND e.type IN (${types.map(() => '?').join(', ')})`}
       ${prefix === '' ? '' : 'AND s.name >= ? AND s.name < ?'}
       ORDER BY e.position`,
    );
    const filters = [...(types ?? []), ...(prefix === '' ? [] : [prefix, afterPrefix(prefix)])];
    const dense = types === undefined && prefix === '';
    const head = this.head();
    const events: E[] = [];
    const size = new PageSize(limit);
    let through = query.after;
    while (!size.isFull && through < head) {
      const until = Math.min(head, through + SCANNED_PER_STEP);
      through = await this.#slices.step(() => {
        const given = [through, until, ...filters];
        const { rows: page, asked } = rows.page(
          given,
          Math.min(size.left, ROWS_PER_STEP),
          BYTES_PER_STEP,
          this.#nameOf,
        );
        if (dense) refuseHoles(page, through, Math.min(asked, until - through));
        for (const row of page) {
          const event = form(row, this.#name(row[1]));
          events.push(event);
          size.add(event);
          if (size.isFull) return row[0];
        }
        return page.length === asked ? page.at(-1)![0] : until;
      });
    }
    return { events, through };
  }

  #rows<Data>(data: Form, from: string): Rows<Data> {
    const key = data + from;
    let rows = this.#reads.get(key);
    if (rows === undefined) {
      rows = new Rows(this.#database, data, from);
      this.#reads.set(key, rows);
    }
    return rows as Rows<Data>;
  }

  /** Reports damage, and gives SQLite's error about it our words. */
  async #telling<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (failure) {
      const damage = damageOf(failure);
      if (damage instanceof DamagedEvent || damage instanceof DamagedLog) this.#onDamage(damage);
      throw damage;
    }
  }

  #name(id: number): string {
    let name = this.#names.get(id);
    if (name === undefined) {
      const row = this.#prepare('SELECT CAST(name AS BLOB) FROM streams WHERE id = ?').get([id]) as
        | [Buffer]
        | undefined;
      if (row === undefined) throw new DamagedLog(`stream number ${id} has no name`);
      name = textOf(row[0], `the name of stream number ${id}`);
      this.#names.set(id, name);
    }
    return name;
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql).raw(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  close(): void {
    this.#statements.clear();
    this.#reads.clear();
    this.#database.close();
  }
}
