/** Maps events to rows of the table `events`. */

import { recordedAs } from '../../schemas/envelope.ts';
import type { NewParleyEvent } from '../../schemas/events/catalogue.ts';
import { bigints, integers, texts } from '../../stores/postgres/values.ts';
import type { AppendRequest, StoredEvent } from '../port.ts';
import { type Row, toEvent } from '../rows.ts';

export const SELECTED =
  'position, stream, sequence, type, schema, time, id, actor, key, correlation, causation, traceparent, data';

/** A row as node-postgres returns it in array mode, with the connection's types. */
export type PostgresRow = Row<string, string>;

export const toStored = (row: PostgresRow): StoredEvent => toEvent(row, row[1]);

/** `parley_append` with the type of each argument, in the order of `appendArguments`. */
export const APPEND = `SELECT stored, actual, first_position FROM parley_append($1::text[], $2::bigint[], $3,
  $4::integer[], $5::bigint[], $6::integer[], $7::integer[], $8::integer[], $9::integer[], $10::text[], $11::integer[],
  $12::bigint[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20)`;

/** Outcome of each batch, in order; `stored` and `actual` are null when all are stored. */
export type Stored = readonly [
  stored: readonly boolean[] | null,
  actual: readonly string[] | null,
  firstPosition: readonly (string | null)[] | null,
];

/** The data of each event as it is stored. */
export const dataOf = (requests: readonly AppendRequest[]): readonly string[] =>
  requests.flatMap(({ events }) => events.map(({ data }) => JSON.stringify(data)));

/** The events of the batches that are stored, as the log holds them. @param data by `dataOf` */
export const storedEvents = (
  requests: readonly AppendRequest[],
  data: readonly string[],
  firstOf: (batch: number) => number | undefined,
): readonly StoredEvent[] => {
  const found: StoredEvent[] = [];
  let at = 0;
  for (const [batch, { events }] of requests.entries()) {
    const first = firstOf(batch);
    if (first !== undefined)
      for (const [n, event] of events.entries()) found.push(recordedAs(event, first + n, data[at + n]!));
    at += events.length;
  }
  return found;
};

/** @param data by `dataOf` */
export const appendArguments = (
  requests: readonly AppendRequest[],
  data: readonly string[],
): readonly (Buffer | boolean)[] => {
  const numbers = new Map<string, number>();
  const lowest: number[] = [];
  /** Head of each stream after the batches so far. */
  const heads: number[] = [];
  let chained = true;
  const batches = { stream: [] as number[], expected: [] as number[], before: [] as number[], count: [] as number[] };
  const places = { batch: [] as number[], place: [] as number[] };
  const events: NewParleyEvent[] = [];
  for (const request of requests) {
    let number = numbers.get(request.stream);
    if (number === undefined) {
      number = numbers.size + 1;
      numbers.set(request.stream, number);
      lowest.push(request.expected);
    } else if (heads[number - 1] !== request.expected) chained = false;
    heads[number - 1] = request.expected + request.events.length;
    batches.stream.push(number);
    batches.expected.push(request.expected);
    batches.before.push(events.length);
    batches.count.push(request.events.length);
    for (const [place, event] of request.events.entries()) {
      places.batch.push(batches.stream.length);
      places.place.push(place);
      events.push(event);
    }
  }
  return [
    texts([...numbers.keys()]),
    bigints(lowest),
    chained,
    integers(batches.stream),
    bigints(batches.expected),
    integers(batches.before),
    integers(batches.count),
    integers(places.batch),
    integers(places.place),
    texts(events.map(({ type }) => type)),
    integers(events.map(({ schema }) => schema)),
    bigints(events.map(({ time }) => time)),
    texts(events.map(({ id }) => id)),
    texts(events.map(({ actor }) => actor)),
    texts(events.map(({ key }) => key)),
    texts(events.map(({ correlationId }) => correlationId)),
    texts(events.map(({ causationId }) => causationId)),
    texts(events.map(({ traceparent }) => traceparent)),
    texts(data),
  ];
};
