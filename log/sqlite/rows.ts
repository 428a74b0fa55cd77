/** Between events and rows of the table `events`. */
import type { Recorded } from '../../schemas/envelope.ts';
import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { StoredEvent } from '../port.ts';

export const COLUMNS = 13;

/** Columns for reading, in the order of `Row`. `e` is `events`. */
export const SELECTED =
  'e.position, e.stream, e.sequence, e.type, e.schema, e.time, e.id, e.actor, e.key, e.correlation, e.causation, e.traceparent, e.data';

export type Row = readonly [
  position: number,
  /** The stream's number. */
  stream: number,
  sequence: number,
  type: string,
  schema: number,
  time: number,
  id: string,
  actor: string,
  key: string | null,
  correlation: string,
  causation: string | null,
  traceparent: string | null,
  data: string,
];

/** Appends the event's columns to the values of an insert; arrays in arrays would cost one copy more for each row. */
export const pushRow = (values: unknown[], event: ParleyEvent, streamId: number): void => {
  values.push(
    event.position,
    streamId,
    event.sequence,
    event.type,
    event.schema,
    event.time,
    event.id,
    event.actor,
    event.key,
    event.correlationId,
    event.causationId,
    event.traceparent,
    JSON.stringify(event.data),
  );
};

const toEvent = <Data>(row: Row, stream: string, data: Data): Recorded<string, Data> => ({
  id: row[6],
  type: row[3],
  schema: row[4],
  stream,
  sequence: row[2],
  time: row[5],
  actor: row[7],
  key: row[8],
  correlationId: row[9],
  causationId: row[10],
  traceparent: row[11],
  data,
  position: row[0],
});

export const toStored = (row: Row, stream: string): StoredEvent => toEvent(row, stream, row[12]);

export const toRecorded = (row: Row, stream: string): Recorded => toEvent(row, stream, JSON.parse(row[12]) as unknown);
