/** Layout of log.db. */

export const LOG_FILE = 'log.db';

/** `PRLY`: tells our files from other SQLite databases. */
export const APPLICATION_ID = 0x50524c59;

/** Raised when the layout changes; a file of a higher number belongs to a newer Parley. */
export const FORMAT_VERSION = 1;

/**
 * Positions are given by the writer, dense, so that a rolled back batch leaves no hole. Stream names are kept once: an
 * event carries its stream's number, which keeps the index on (stream, sequence) small.
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
