/** The event log in one SQLite file, for reading only. */

import type { Clock } from '../../schemas/clock.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import type { LogReader } from '../port.ts';
import { startTail, type TailSource } from '../tail.ts';
import { epochOf } from './notes.ts';
import { openForReading } from './open.ts';
import { Reader } from './reader.ts';

/** How often a reader polls for events of another process's writer, in milliseconds. */
const POLL_INTERVAL = 100;

/**
 * Opens the log of a data folder for reading only. Takes no lock, so a server may be running on it.
 * @throws UnusableLog
 */
export const openSqliteLogReader = async (options: {
  readonly directory: string;
  readonly clock: Clock;
}): Promise<LogReader & { close(): Promise<void> }> => {
  const { directory, clock } = options;
  const database = openForReading(directory);
  const epoch = epochOf(database);
  const reader = new Reader(database, new TimeSlices(clock));
  const source: TailSource = {
    next: async (position, limit) => (await reader.readAll({ after: position, limit })).events,
    more: (_position, signal) => clock.delay(POLL_INTERVAL, signal),
  };
  return {
    epoch,
    head: async () => reader.head(),
    streamHead: async (stream) => (await reader.streamHeads([stream]))[0]!,
    streamHeads: (streams) => reader.streamHeads(streams),
    streams: (query) => reader.streams(query),
    readStream: (query) => reader.readStream(query),
    readAll: (query) => reader.readAll(query),
    rawAll: (query) => reader.rawAll(query),
    tail: (after, onEvents, onFailure) => startTail(source, after, onEvents, onFailure),
    close: async () => reader.close(),
  };
};
