/**
 * Reads events as the JSON text of many rows in two BLOBs. The driver ends the process when text that it reads is damaged;
 * a BLOB can be checked. It is also faster than thirteen values a row.
 */

import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import type Database from 'libsql';
import { UnreadableEvent } from '../../schemas/events/catalogue.ts';
import { reasonOf } from '../../stores/guard.ts';
import { classify } from '../../stores/sqlite/failures.ts';
import type { Row } from '../rows.ts';
import { hasChecksums } from './schema.ts';

const CHECK = 'Put back a backup; `parley doctor --log` lists everything that is damaged.';

/** An event's bytes on the disk have changed. */
export class DamagedEvent extends UnreadableEvent {
  readonly why: string;

  constructor(event: UnreadableEvent['event'], why: string) {
    const { position, stream, sequence } = event;
    super(event, `The event at position ${position} (${stream} ${sequence}) is damaged in log.db: ${why}. ${CHECK}`);
    this.name = 'DamagedEvent';
    this.why = why;
  }
}

/** A page of the file, or an order in it, is damaged. */
export class DamagedLog extends Error {
  constructor(why: string, cause?: unknown) {
    super(`log.db is damaged: ${why}. ${CHECK}`, { cause });
    this.name = 'DamagedLog';
  }
}

/** Its stream is the stream's number. */
export type SqliteRow<Data> = Row<number, Data>;

const kinds = {
  number: (value: unknown) => Number.isSafeInteger(value),
  text: (value: unknown) => typeof value === 'string',
  'number?': (value: unknown) => Number.isSafeInteger(value) || value === null,
  'text?': (value: unknown) => typeof value === 'string' || value === null,
  any: () => true,
};

/** Of the table `events`, in its order. */
export const COLUMNS: readonly (readonly [name: string, kind: keyof typeof kinds])[] = [
  ['position', 'number'],
  ['stream', 'number'],
  ['sequence', 'number'],
  ['type', 'text'],
  ['schema', 'number'],
  ['time', 'number'],
  ['id', 'text'],
  ['actor', 'text'],
  ['key', 'text?'],
  ['correlation', 'text'],
  ['causation', 'text?'],
  ['traceparent', 'text?'],
  ['data', 'any'],
  ['checksum', 'number?'],
];

const CHECKS = COLUMNS.map(([, kind]) => kinds[kind]);

const isRow = (row: unknown, columns: number): boolean => {
  if (!Array.isArray(row) || row.length !== columns) return false;
  for (let i = 0; i < columns; i += 1) if (!CHECKS[i]!(row[i])) return false;
  return true;
};

const NAMES = COLUMNS.map(([name]) => name);

/** What SQLite writes as JSON: every column but the data, which is JSON already and is read beside it. */
const envelope = (isChecked: boolean): string => {
  const columns = isChecked ? NAMES : NAMES.filter((name) => name !== 'checksum');
  return `json_array(${columns.map((name) => (name === 'data' ? 'NULL' : `e.${name}`)).join(', ')})`;
};

const DATA = NAMES.indexOf('data');
const CHECKSUM = NAMES.indexOf('checksum');

/** Ends the data of a row before that of the next. No JSON that we write has a line feed. */
const BETWEEN = ',\n';
const LINE_FEED = 10;

/** @throws Error when the data of one of the rows is not what was stored */
const checkData = (rows: readonly unknown[][], data: Buffer): void => {
  let start = '['.length;
  for (const [i, row] of rows.entries()) {
    const end = i === rows.length - 1 ? data.length - ']'.length : data.indexOf(LINE_FEED, start) - ','.length;
    const checksum = row[CHECKSUM];
    if (checksum !== null && crc32(data.subarray(start, end)) !== checksum)
      throw new Error('its data is not what was stored');
    start = end + BETWEEN.length;
  }
};

/**
 * `value` is parsed, and compared with its checksum. `text` is as stored and compared with nothing, since that would take a
 * third of the rate; `checked text` is for those who look for damage.
 */
export type Form = 'value' | 'text' | 'checked text';

/** Rows that follow each other. */
interface Found<Data> {
  readonly rows: readonly SqliteRow<Data>[];
  /** How many were asked for; there are no more where fewer were found. */
  readonly asked: number;
}

/** A statement for pages of rows; its parameters are those of `from`, then the most rows, then how many to skip. */
export class Rows<Data> {
  readonly #page: Database.Statement;
  readonly #place: Database.Statement;
  readonly #bytes: Database.Statement;
  readonly #isText: boolean;
  readonly #isChecked: boolean;
  readonly #columns: number;

  /** @param from what follows `SELECT ...`, with `e` for the events, up to its order */
  constructor(database: Database.Database, data: Form, from: string) {
    this.#isText = data !== 'value';
    this.#isChecked = data !== 'text' && hasChecksums(database);
    this.#columns = this.#isChecked ? NAMES.length : NAMES.length - 1;
    const rows = (columns: string) => `SELECT ${columns} FROM ${from} LIMIT ? OFFSET ?`;
    const list = (what: string, between: string) => `CAST('[' || group_concat(${what}, ${between}) || ']' AS BLOB)`;
    // SQLite knows the length of text without reading it.
    const length = 'octet_length(e.data)';
    const shortData = `CASE WHEN ${length} <= ? THEN e.data END`;
    this.#page = database
      .prepare(
        `SELECT ${list('envelope', `','`)}, ${list('data', `',' || char(${LINE_FEED})`)}, max(n)
         FROM (${rows(`${envelope(this.#isChecked)} AS envelope, ${shortData} AS data, ${length} AS n`)})`,
      )
      .raw(true);
    this.#place = database.prepare(rows('e.position, e.stream, e.sequence')).raw(true);
    this.#bytes = database.prepare(`SELECT total(n) FROM (${rows(`${length} AS n`)})`).raw(true);
  }

  /**
   * @param limit of rows
   * @param bytes of data; one row may have more
   * @param nameOf finds a stream's name, for the error
   * @throws DamagedEvent for the first row that cannot be read; DamagedLog when it cannot be said which
   */
  page(given: readonly unknown[], limit: number, bytes: number, nameOf: (stream: number) => string): Found<Data> {
    let asked = limit;
    try {
      // Rows are small, as a rule, so that nobody has to count their bytes first.
      const rows = this.#read(given, limit, 0, Math.floor(bytes / limit));
      if (rows !== undefined) return { rows, asked };
      asked = this.#within(given, limit, bytes);
      return { rows: this.#read(given, asked, 0)!, asked };
    } catch (failure) {
      throw this.#found(given, asked, nameOf) ?? failure;
    }
  }

  /** How many of the rows, at most `limit`, have so many bytes of data; at least one. */
  #within(given: readonly unknown[], limit: number, bytes: number): number {
    let most = limit;
    while (most > 1 && (this.#bytes.get([...given, most, 0]) as [number])[0] > bytes) most >>>= 1;
    return most;
  }

  /** @returns `undefined` when one has more than `most` bytes of data, which is then not read */
  #read(
    given: readonly unknown[],
    limit: number,
    skip: number,
    most = Number.MAX_SAFE_INTEGER,
  ): readonly SqliteRow<Data>[] | undefined {
    type Answer = [envelopes: Buffer | null, data: Buffer | null, largest: number];
    const [envelopes, data, largest] = this.#page.get([most, ...given, limit, skip]) as Answer;
    if (envelopes === null) return [];
    if (largest > most) return undefined;
    if (data === null || !isUtf8(envelopes) || !isUtf8(data)) throw new Error('its text is not UTF-8');
    const rows = JSON.parse(envelopes.toString('utf8')) as unknown[][];
    const text = data.toString('utf8');
    const each: readonly unknown[] = this.#isText ? text.slice(1, -1).split(BETWEEN) : JSON.parse(text);
    if (each.length !== rows.length) throw new Error('its data is not one value');
    for (let i = 0; i < rows.length; i += 1) rows[i]![DATA] = each[i];
    if (!rows.every((row) => isRow(row, this.#columns))) throw new Error('its columns are not those of an event');
    if (this.#isChecked) checkData(rows, data);
    return rows as unknown as SqliteRow<Data>[];
  }

  /** Reads one row at a time, which is slow and happens only to damaged files. */
  #found(given: readonly unknown[], limit: number, nameOf: (stream: number) => string): Error | undefined {
    for (let skip = 0; skip < limit; skip += 1) {
      try {
        if (this.#read(given, 1, skip)!.length === 0) return undefined;
      } catch (failure) {
        return this.#damage(given, skip, reasonOf(failure), nameOf);
      }
    }
    return undefined;
  }

  #damage(given: readonly unknown[], skip: number, why: string, nameOf: (stream: number) => string): Error {
    try {
      const [position, stream, sequence] = this.#place.get([...given, 1, skip]) as [number, number, number];
      return new DamagedEvent({ stream: nameOf(stream), sequence, position }, why);
    } catch (failure) {
      return damageOf(failure);
    }
  }
}

/** SQLite's error about a damaged file as one that says what to do; any other unchanged. */
export const damageOf = (failure: unknown): Error => {
  if (failure instanceof Error && classify(failure) !== 'damaged') return failure;
  return new DamagedLog(reasonOf(failure), failure);
};

/** Text of one column, selected as a BLOB. @throws DamagedLog */
export const textOf = (bytes: Buffer, what: string): string => {
  if (!isUtf8(bytes)) throw new DamagedLog(`${what} is not UTF-8`);
  return bytes.toString('utf8');
};
