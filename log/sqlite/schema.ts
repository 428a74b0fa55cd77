/** Layout of log.db. */

import type { ParleyEvent } from '../../schemas/events/catalogue.ts';

/** Appends the event's columns to the values of an insert. Nested arrays would cost another copy per row. */
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

export const LOG_FILE = 'log.db';

/** `PRLY`: distinguishes our files from other SQLite databases. */
export const APPLICATION_ID = 0x50524c59;

/** Raised when the layout changes; a file with a higher number belongs to a newer Parley. */
export const FORMAT_VERSION = 1;

/**
 * The writer assigns dense positions, so a rolled back batch leaves no gap. Stream names are stored once: an event
 * carries its stream's number, which keeps the index on (stream, sequence) small.
 */
export const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    schema INTEGER NOT NULL,
    time INTEGER NOT NULL,
    id TEXT NOT NULL,
    actor TEXT NOT NULL,
    key TEXT,
    correlation TEXT NOT NULL,
    causation TEXT,
    traceparent TEXT,
    data TEXT NOT NULL
  );
  CREATE UNIQUE INDEX events_by_stream ON events (stream, sequence);
`;
