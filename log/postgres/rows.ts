/** Between events and rows of the table `events`. */
import type { Recorded } from '../../schemas/envelope.ts';
import type { AppendRequest, StoredEvent } from '../port.ts';

export const SELECTED =
  'position, stream, sequence, type, schema, time, id, actor, key, correlation, causation, traceparent, data';

/** As node-postgres hands rows out in array mode: 64-bit numbers as text. */
export type Row = readonly [
  position: string,
  stream: string,
  sequence: string,
  type: string,
  schema: number,
  time: string,
  id: string,
  actor: string,
  key: string | null,
  correlation: string,
  causation: string | null,
  traceparent: string | null,
  data: string,
];

const toEvent = <Data>(row: Row, data: Data): Recorded<string, Data> => ({
  id: row[6],
  type: row[3],
  schema: row[4],
  stream: row[1],
  sequence: Number(row[2]),
  time: Number(row[5]),
  actor: row[7],
  key: row[8],
  correlationId: row[9],
  causationId: row[10],
  traceparent: row[11],
  data,
  position: Number(row[0]),
});

export const toStored = (row: Row): StoredEvent => toEvent(row, row[12]);
export const toRecorded = (row: Row): Recorded => toEvent(row, JSON.parse(row[12]) as unknown);

/** `parley_append` with the type of each argument, in the order of `appendArguments`. */
export const APPEND = `SELECT stored, actual, first_position FROM parley_append($1::text[], $2::integer[], $3::bigint[],
  $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::text[], $9::integer[], $10::bigint[], $11::text[],
  $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18)`;

/** What one batch came to. */
export type Stored = readonly [stored: boolean, actual: string, firstPosition: string | null];

export const appendArguments = (requests: readonly AppendRequest[]): unknown[] => {
  const numbers = new Map<string, number>();
  const batches = { stream: [] as number[], expected: [] as number[], count: [] as number[], last: [] as number[] };
  const places = { batch: [] as number[], place: [] as number[] };
  const envelope: unknown[][] = Array.from({ length: 10 }, () => []);
  const [type, schema, time, id, actor, key, correlation, causation, traceparent, data] = envelope;
  for (const { stream, expected, events } of requests) {
    let number = numbers.get(stream);
    if (number === undefined) {
      number = numbers.size + 1;
      numbers.set(stream, number);
    }
    batches.stream.push(number);
    batches.expected.push(expected);
    batches.count.push(events.length);
    for (const [place, event] of events.entries()) {
      places.batch.push(batches.stream.length);
      places.place.push(place);
      type!.push(event.type);
      schema!.push(event.schema);
      time!.push(event.time);
      id!.push(event.id);
      actor!.push(event.actor);
      key!.push(event.key);
      correlation!.push(event.correlationId);
      causation!.push(event.causationId);
      traceparent!.push(event.traceparent);
      data!.push(JSON.stringify(event.data));
    }
    batches.last.push(places.batch.length);
  }
  return [[...numbers.keys()], ...Object.values(batches), ...Object.values(places), ...envelope];
};
