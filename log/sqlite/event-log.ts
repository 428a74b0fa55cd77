/** The event log in one SQLite file. */

import { join } from 'node:path';
import type { Clock } from '../../schemas/clock.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import { reasonOf } from '../../stores/guard.ts';
import { ifPossible } from '../../stores/sqlite/failures.ts';
import { HeldFiles } from '../../stores/sqlite/held-files.ts';
import { type DirectoryLock, lockDirectory } from '../../stores/sqlite/lock.ts';
import type { EventLog, StreamHead } from '../port.ts';
import { Bell, OpenTails, startTail } from '../tail.ts';
import { Appender } from './appender.ts';
import { clearInUse, epochOf, formerEpochOf, renewEpoch, type VaultNote, vaultNoteOf } from './notes.ts';
import { openForReading, openForWriting } from './open.ts';
import { Reader, RecentEvents } from './reader.ts';
import { LOG_FILE } from './schema.ts';
import { Writer } from './writer.ts';

export interface SqliteEventLogOptions {
  /** Created if missing, readable by its owner only. */
  readonly directory: string;
  readonly clock: Clock;
  /** Held by the caller, who releases it after the log is closed. Default: taken, and released by `close`. */
  readonly lock?: DirectoryLock;
  /** The files without which nothing is acknowledged; the log adds its own. Default: only its own. */
  readonly files?: HeldFiles;
  /** Goes on without a lost journal. Default: refuses to open. */
  readonly acceptLoss?: boolean;
  /** Called when the outcome of a commit is unknown. Default: reports it on stderr and ends the process. */
  readonly onFatal?: (error: unknown) => void;
  /** Called after every commit with the number of events made durable. */
  readonly onCommit?: (events: number) => void;
  /** Called whenever events cannot be read because the file is damaged. */
  readonly onDamage?: (damage: Error) => void;
  /** Why nothing may be stored now, besides files that are gone. */
  readonly hindered?: () => Error | undefined;
  /** Called with the reason when nothing was stored because of the disk or the folder. */
  readonly onRefused?: (failure: unknown) => void;
  /** Number of newest events kept in memory for tails; one of a chat message takes about 1 KB. */
  readonly recentEvents?: number;
}

/** The log of a data folder, which knows the vault beside it. */
export interface SqliteEventLog extends EventLog {
  /** The vault that the log was last written with; undefined after `renewEpoch`. */
  vaultNote(): VaultNote | undefined;
  /** Undefined in a log whose epoch was never renewed. */
  formerEpoch(): string | undefined;
  /** From now on each append notes this vault. */
  pairWith(vault: () => VaultNote): void;
}

const RECENT_EVENTS = 20_000;
/** Of these events together, however many they are. */
const RECENT_BYTES = 67_108_864;

/** EX_SOFTWARE of sysexits.h: a supervisor restarts the process, which reads its files again. */
const FATAL_EXIT_CODE = 70;

const endProcess = (error: unknown): void => {
  const cause = error instanceof Error && error.cause !== undefined ? ` ${reasonOf(error.cause)}` : '';
  process.stderr.write(
    `${reasonOf(error)}${cause} The process ends so that nothing is acknowledged that may be lost.\n`,
  );
  process.exit(FATAL_EXIT_CODE);
};

/**
 * Opens the log of a data folder for this process alone, creating it if there is none.
 * @throws DirectoryInUse when another process has it
 * @throws UnusableLog when the file is not ours, damaged, read-only or of a newer format
 */
export const openSqliteEventLog = async (options: SqliteEventLogOptions): Promise<SqliteEventLog> => {
  const { directory, clock, onFatal = endProcess, onCommit = () => {}, recentEvents = RECENT_EVENTS } = options;
  const { onRefused = () => {} } = options;
  const { files = new HeldFiles(), acceptLoss = false } = options;
  const lock = options.lock ?? lockDirectory(directory);
  const release = () => options.lock === undefined && lock.release();
  try {
    const database = openForWriting(directory, acceptLoss);
    let epoch = epochOf(database);
    const file = join(directory, LOG_FILE);
    const gone = files.hold(file, `${file}-wal`);
    const writer = new Writer(database, { hindered: () => gone() ?? options.hindered?.(), onRefused });
    const reader = new Reader(openForReading(directory), new TimeSlices(clock), options.onDamage);
    const recent = new RecentEvents(writer.position, { count: recentEvents, bytes: RECENT_BYTES });
    const bell = new Bell();
    const tails = new OpenTails(() => bell.ring());

    const appender = new Appender(
      writer,
      (events) => {
        recent.push(events);
        bell.ring();
        onCommit(events.length);
      },
      onFatal,
    );
    const headOf = (stream: string): StreamHead => {
      const { sequence, position } = writer.head(stream);
      return { stream, sequence, position };
    };
    const more = (position: number, signal: AbortSignal): Promise<void> =>
      recent.head > position || signal.aborted ? Promise.resolve() : bell.wait();
    const checked = {
      next: async (after: number, limit: number) =>
        recent.after(after, limit) ?? (await reader.readAll({ after, limit })).events,
      more,
    };
    const raw = { next: async (after: number, limit: number) => (await reader.rawAll({ after, limit })).events, more };

    return {
      get epoch() {
        return epoch;
      },
      maxAppendBytes: Number.POSITIVE_INFINITY,
      append: (request) => appender.append(request),
      async renewEpoch() {
        epoch = renewEpoch(database);
      },
      vaultNote: () => vaultNoteOf(database),
      formerEpoch: () => formerEpochOf(database),
      pairWith: (vault) => writer.pairWith(vault),
      head: async () => recent.head,
      streamHead: async (stream) => headOf(stream),
      streamHeads: (streams) => reader.streamHeads(streams, headOf),
      streams: (query) => reader.streams(query),
      readStream: (query) => reader.readStream(query),
      readAll: (query) => reader.readAll(query),
      rawAll: (query) => reader.rawAll(query),
      tail: (after, onEvents, onFailure) => tails.add(startTail(checked, after, onEvents, onFailure)),
      rawTail: (after, onEvents, onFailure) => tails.add(startTail(raw, after, onEvents, onFailure)),
      async close() {
        await appender.close();
        await tails.stop();
        reader.close();
        // Leaves everything in one file: easier to copy, and faster to open at the next start.
        ifPossible(() => {
          clearInUse(database);
          database.pragma('wal_checkpoint(TRUNCATE)');
        });
        database.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
};
