/** The event log in one SQLite file, for reading only. */

import type { Clock } from '../../schemas/clock.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import type { LogReader } from '../port.ts';
import { startTail } from '../tail.ts';
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
  const more = async (position: number, signal: AbortSignal): Promise<void> => {
    if (reader.head() <= position) await clock.delay(POLL_INTERVAL, signal);
  };
  const checked = {
    next: async (after: number, limit: number) => (await reader.readAll({ after, limit })).events,
    more,
  };
  const raw = { next: async (after: number, limit: number) => (await reader.rawAll({ after, limit })).events, more };
  return {
    epoch,
    head: async () => reader.head(),
    streamHead: async (stream) => (await reader.streamHeads([stream]))[0]!,
    streamHeads: (streams) => reader.streamHeads(streams),
    streams: (query) => reader.streams(query),
    readStream: (query) => reader.readStream(query),
    readAll: (query) => reader.readAll(query),
    rawAll: (query) => reader.rawAll(query),
    tail: (after, onEvents, onFailure) => startTail(checked, after, onEvents, onFailure),
    rawTail: (after, onEvents, onFailure) => startTail(raw, after, onEvents, onFailure),
    close: async () => reader.close(),
  };
};
