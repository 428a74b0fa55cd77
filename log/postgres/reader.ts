/** Reading committed events. */

import { decodeStored, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import type { Postgres } from '../../stores/postgres/connection.ts';
import {
  checkLimit,
  filled,
  isFull,
  type Page,
  type ReadAll,
  type ReadStream,
  type StoredEvent,
  type StoredPage,
  type StreamHead,
} from '../port.ts';
import { type PostgresRow, SELECTED, toStored } from './rows.ts';

/** About 10 us each. */
const HEADS_PER_QUESTION = 5_000;

/** Greater than every name that begins with `prefix`, in byte order. */
const afterPrefix = (prefix: string): string => `${prefix}\u{10ffff}`;

/** The rows of a query, up to the one that brings their data to `readBytes`. */
const upToBytes = (rows: string, order: string): string =>
  `SELECT ${SELECTED} FROM (
     SELECT found.*, sum(octet_length(data)) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) AS bytes FROM (${rows}) found
   ) counted WHERE bytes - octet_length(data) < ${BUDGETS.log.readBytes} ORDER BY ${order}`;

/** Whether there were no more rows than these, of a query by `upToBytes` for `limit` of them. */
const areAll = (rows: readonly PostgresRow[], limit: number): boolean => {
  if (rows.length === limit) return false;
  let bytes = 0;
  for (const row of rows) bytes += Buffer.byteLength(row[12]);
  return bytes < BUDGETS.log.readBytes;
};

type Form<E> = (row: PostgresRow) => E;

const toChecked = (row: PostgresRow): ParleyEvent => decodeStored(toStored(row));

export class Reader {
  private readonly postgres: Postgres;

  constructor(postgres: Postgres) {
    this.postgres = postgres;
  }

  async head(): Promise<number> {
    const [row] = await this.rows<[number | null]>('head', 'SELECT max(position) FROM events', []);
    return row![0] ?? 0;
  }

  async streamHead(stream: string): Promise<StreamHead> {
    const [row] = await this.rows<[number, number]>(
      'stream head',
      'SELECT sequence, position FROM events WHERE stream = $1 ORDER BY sequence DESC LIMIT 1',
      [stream],
    );
    return { stream, sequence: row?.[0] ?? 0, position: row?.[1] ?? 0 };
  }

  async streamHeads(streams: readonly string[]): Promise<readonly StreamHead[]> {
    const heads: StreamHead[] = [];
    for (let at = 0; at < streams.length; at += HEADS_PER_QUESTION) {
      const some = streams.slice(at, at + HEADS_PER_QUESTION);
      const rows = await this.rows<[string, number | null, number | null]>(
        'stream heads',
        `SELECT asked.stream, head.sequence, head.position FROM unnest($1::text[]) WITH ORDINALITY AS asked(stream, n)
         LEFT JOIN LATERAL (SELECT sequence, position FROM events WHERE stream = asked.stream
                            ORDER BY sequence DESC LIMIT 1) head ON true
         ORDER BY asked.n`,
        [some],
      );
      for (const [stream, sequence, position] of rows)
        heads.push({ stream, sequence: sequence ?? 0, position: position ?? 0 });
    }
    return heads;
  }

  /** Jumps from name to name in the index, however many events the streams hold. */
  async streams({
    prefix = '',
    after = '',
    limit,
  }: {
    prefix?: string;
    after?: string;
    limit: number;
  }): Promise<readonly StreamHead[]> {
    const rows = await this.rows<[string, number, number]>(
      'streams',
      `WITH RECURSIVE found(stream, n) AS (
         (SELECT stream, 1 FROM events WHERE stream >= $1 AND stream > $2 AND stream < $3 ORDER BY stream LIMIT 1)
         UNION ALL
         SELECT next.stream, n + 1 FROM found CROSS JOIN LATERAL
           (SELECT stream FROM events WHERE stream > found.stream AND stream < $3 ORDER BY stream LIMIT 1) next
         WHERE n < $4)
       SELECT head.stream, head.sequence, head.position FROM found CROSS JOIN LATERAL
         (SELECT e.stream, e.sequence, e.position FROM events e WHERE e.stream = found.stream
          ORDER BY e.sequence DESC LIMIT 1) head ORDER BY head.stream`,
      [prefix, after, afterPrefix(prefix), Math.min(limit, 1_000_000)],
    );
    return rows.map(([stream, sequence, position]) => ({ stream, sequence, position }));
  }

  async readStream({ stream, from, direction = 'forwards', limit }: ReadStream): Promise<readonly ParleyEvent[]> {
    checkLimit(limit);
    const [compare, order, start] =
      direction === 'forwards' ? ['>=', 'ASC', from ?? 1] : ['<=', 'DESC', from ?? Number.MAX_SAFE_INTEGER];
    const step = direction === 'forwards' ? 1 : -1;
    return this.page(limit, toChecked, (last, most) =>
      this.rows<PostgresRow>(
        `stream ${direction}`,
        upToBytes(
          `SELECT ${SELECTED} FROM events WHERE stream = $1 AND sequence ${compare} $2 ORDER BY sequence ${order} LIMIT $3`,
          `sequence ${order}`,
        ),
        [stream, last === undefined ? start : last.sequence + step, most],
      ),
    );
  }

  readAll(query: ReadAll): Promise<Page> {
    return this.scan(query, toChecked);
  }

  rawAll(query: ReadAll): Promise<StoredPage> {
    return this.scan(query, toStored);
  }

  /** @param read answers with the rows after an event, by `upToBytes` */
  private page<E extends { readonly data: unknown }>(
    limit: number,
    form: Form<E>,
    read: (last: E | undefined, limit: number) => Promise<readonly PostgresRow[]>,
  ): Promise<readonly E[]> {
    return filled<E>(async (last, most) => {
      const rows = await read(last, most);
      return { events: rows.map(form), ended: areAll(rows, most) };
    }, limit);
  }

  private async scan<E extends ParleyEvent | StoredEvent>(
    { after, types, prefix = '', limit }: ReadAll,
    form: Form<E>,
  ): Promise<{ events: readonly E[]; through: number }> {
    if (types === undefined && prefix === '') return this.scanAll(after, limit, form);
    // Read the head first: a later commit may be found, but never counts as searched by mistake.
    const head = await this.head();
    if (after >= head || types?.length === 0) return { events: [], through: Math.max(after, head) };
    const events = await this.page(limit, form, (last, most) =>
      this.rows<PostgresRow>(
        `all${types === undefined ? '' : ' of types'}${prefix === '' ? '' : ' of prefix'}`,
        upToBytes(
          `SELECT ${SELECTED} FROM events WHERE position > $1 AND position <= $2
           ${types === undefined ? '' : 'AND type = ANY($4::text[])'}
           ${prefix === '' ? '' : `AND stream >= $${types === undefined ? 4 : 5} AND stream < $${types === undefined ? 5 : 6}`}
           ORDER BY position LIMIT $3`,
          'position',
        ),
        [
          last?.position ?? after,
          head,
          most,
          ...(types === undefined ? [] : [types]),
          ...(prefix === '' ? [] : [prefix, afterPrefix(prefix)]),
        ],
      ),
    );
    return { events, through: isFull(events, limit) ? events.at(-1)!.position : head };
  }

  /** Without a filter the last event found says how far was searched. Saves tails one query of two. */
  private async scanAll<E extends ParleyEvent | StoredEvent>(
    after: number,
    limit: number,
    form: Form<E>,
  ): Promise<{ events: readonly E[]; through: number }> {
    const events = await this.page(limit, form, (last, most) =>
      this.rows<PostgresRow>(
        'all',
        upToBytes(`SELECT ${SELECTED} FROM events WHERE position > $1 ORDER BY position LIMIT $2`, 'position'),
        [last?.position ?? after, most],
      ),
    );
    return { events, through: events.at(-1)?.position ?? after };
  }

  /** @throws StoreUnavailable when the server cannot answer */
  private rows<R extends readonly unknown[]>(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<readonly R[]> {
    return this.postgres.rows<R>(text, values, name);
  }
}
