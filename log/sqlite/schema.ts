/** Layout of log.db. */

import { crc32 } from 'node:zlib';
import type Database from 'libsql';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { Value } from '../../stores/sqlite/statements.ts';

/**
 * Appends the event's columns to the values of an insert. Nested arrays would cost another copy per row.
 */
export const pushRow = (values: Value[], event: ParleyEvent, streamId: number): void => {
  const data = JSON.stringify(event.data);
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
    data,
    crc32(data),
  );
};

export const LOG_FILE = 'log.db';

/** `PRLY`: distinguishes our files from other SQLite databases. */
export const APPLICATION_ID = 0x50524c59;

/** Raised when the layout changes; a file with a higher number belongs to a newer Parley. */
export const FORMAT_VERSION = 2;

/**
 * The writer assigns dense positions, so a rolled back batch leaves no gap. Stream names are stored once: an event
 * carries its stream's number, which keeps the index on (stream, sequence) small. `checksum` is the CRC-32 of `data`; events
 * that were stored in format 1 have none.
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
    data TEXT NOT NULL,
    checksum INTEGER
  );
  CREATE UNIQUE INDEX events_by_stream ON events (stream, sequence);
`;

/** Whether a log that is only read is of a format with checksums. */
export const hasChecksums = (database: Database.Database): boolean =>
  database.prepare(`SELECT 1 FROM pragma_table_info('events') WHERE name = 'checksum'`).raw(true).get([]) !== undefined;

/** Brings a log of an older format into this one, at once however long it is. */
export const upgrade = (database: Database.Database): void => {
  if (hasChecksums(database)) return;
  database.exec(`BEGIN IMMEDIATE; ALTER TABLE events ADD COLUMN checksum INTEGER;
    PRAGMA user_version = ${FORMAT_VERSION}; COMMIT`);
};
