/**
 * Every view that lives in an SQL store, with its tables, migration steps, writer and reader, for the SQLite file and
 * for a PostgreSQL schema. A view that is not in the list is neither built nor read.
 */

import type { Migration, RawBuilder } from 'kysely';
import type { Fold } from '../../domain/decider.ts';
import type { LogReader } from '../../log/port.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { TimeSlices } from '../../schemas/time-slices.ts';
import type { Ask, Postgres } from '../../stores/postgres/connection.ts';
import type { Connection } from '../../stores/sqlite/statements.ts';
import { audienceRowsAt, audienceTables, PostgresAudiences, SqliteAudiences } from './audience-index/sql.ts';
import { type AudienceReader, audienceEntries } from './audience-index/view.ts';
import { auditMigrations, auditRowsAt, auditTables, PostgresAuditLog, SqliteAuditLog } from './audit-log/sql.ts';
import { type AuditReader, auditRecords } from './audit-log/view.ts';
import { banMigrations, banRowsAt, banTables, PostgresBans, SqliteBans } from './bans/sql.ts';
import { type BanReader, banChanges } from './bans/view.ts';
import { guildQuestions, guildRowsAt, PostgresGuildReader } from './guild-views/postgres/reader.ts';
import { guildMigrations, PostgresGuildWriter } from './guild-views/postgres/writer.ts';
import { GuildCache, SqliteGuildReader } from './guild-views/sqlite/reader.ts';
import { guildTables, SqliteGuildWriter } from './guild-views/sqlite/writer.ts';
import { type GuildReader, guildChanges } from './guild-views/view.ts';
import { PostgresPins, pinMigrations, pinRowsAt, pinTables, SqlitePins } from './pins/sql.ts';
import { type PinReader, pinChanges } from './pins/view.ts';
import { PostgresReports, reportMigrations } from './reports/postgres.ts';
import { reportRowsAt } from './reports/sql.ts';
import { reportTables, SqliteReports } from './reports/sqlite.ts';
import { type ReportReader, reportChanges } from './reports/view.ts';
import { PostgresSnapshots, SqliteSnapshots, snapshotTables } from './snapshots/sql.ts';
import { Folding, type SnapshotReader } from './snapshots/view.ts';
import { headMigrations, headRowsAt, headTables, PostgresStreamHeads, SqliteStreamHeads } from './stream-heads/sql.ts';
import { headChanges, type StreamHeadReader } from './stream-heads/view.ts';

/** The fold of a stream's state; `undefined` for streams without snapshots. */
export type FoldOf = (stream: string) => Fold<unknown> | undefined;

/** What a view may need besides its store. */
export interface ViewSources {
  readonly log: LogReader;
  readonly foldOf: FoldOf;
}

interface Prepared {
  /** Reads what the events will need; `undefined` if that is nothing. */
  prepare?(events: readonly ParleyEvent[]): Promise<void> | undefined;
  /** The transaction was rolled back. */
  undone?(): void;
}

export interface OnSqlite<Reader> extends Prepared {
  readonly reader: Reader;
  /** Runs synchronously, so that nobody on the same connection sees half of it. */
  apply(events: readonly ParleyEvent[]): void;
}

/** Runs within the transaction that locks the partition of the events. */
export type Write = (ask: Ask) => Promise<void>;

/**
 * Rows that need not be stored before the partition's checkpoint is, which may be a second later. Whoever takes the
 * partition over begins at the stored checkpoint and makes them again.
 */
export interface WithCheckpoint {
  /** Takes up what these events change, in memory. */
  keep(partition: number, events: readonly ParleyEvent[]): void;
  /** @returns to be called once the transaction is committed; until then everything is kept */
  writeKept(ask: Ask, partitions: readonly number[]): Promise<() => void>;
  /** The partition is elsewhere. */
  forget(partition: number): void;
}

export interface OnPostgres<Reader> extends Prepared {
  readonly reader: Reader;
  /** What to write for these events; `undefined` if nothing. */
  written(events: readonly ParleyEvent[]): Write | undefined;
  /** In place of `written`, except in a repair. */
  readonly withCheckpoint?: WithCheckpoint;
}

export interface SqlView<Reader> {
  /** Name of the projection, in dead letters and metrics. */
  readonly name: string;
  /** Statements that create its tables in SQLite. A file with other tables is rebuilt. */
  readonly tables: string;
  /** @param slices shared by all readers of the file, so that loops of small reads let other work run in between */
  sqlite(db: Connection, slices: TimeSlices, sources: ViewSources): OnSqlite<Reader>;
  /**
   * Steps, by name, that create and extend its tables in a PostgreSQL generation, beyond those of `001-tables`. A step
   * runs once and never changes afterwards.
   */
  migrations(schema: string): Readonly<Record<string, Migration>>;
  postgres(postgres: Postgres, schema: string, sources: ViewSources): OnPostgres<Reader>;
  /**
   * Rows by table as they were at a position, whatever was applied since: the basis for comparing two generations.
   * Leaves out rows that may rightly differ.
   */
  rowsAt(at: number): Readonly<Record<string, RawBuilder<unknown>>>;
}

const audiences: SqlView<AudienceReader> = {
  name: 'audience',
  tables: audienceTables,
  sqlite: (db, slices) => {
    const index = new SqliteAudiences(db, slices);
    return { reader: index, apply: (events) => index.apply(audienceEntries(events)) };
  },
  migrations: () => ({}),
  postgres: (postgres, schema) => {
    const index = new PostgresAudiences(postgres, schema);
    return {
      reader: index,
      written: (events) => {
        const entries = audienceEntries(events);
        return entries.length === 0 ? undefined : (ask) => index.write(ask, entries);
      },
    };
  },
  rowsAt: audienceRowsAt,
};

const pins: SqlView<PinReader> = {
  name: 'pins',
  tables: pinTables,
  sqlite: (db, slices) => {
    const rows = new SqlitePins(db, slices);
    return { reader: rows, apply: (events) => rows.apply(pinChanges(events)) };
  },
  migrations: pinMigrations,
  postgres: (postgres, schema) => {
    const rows = new PostgresPins(postgres, schema);
    return {
      reader: rows,
      written: (events) => {
        const changes = pinChanges(events);
        return changes.length === 0 ? undefined : (ask) => rows.write(ask, changes);
      },
    };
  },
  rowsAt: pinRowsAt,
};

const bans: SqlView<BanReader> = {
  name: 'bans',
  tables: banTables,
  sqlite: (db) => {
    const rows = new SqliteBans(db);
    return { reader: rows, apply: (events) => rows.apply(banChanges(events)) };
  },
  migrations: banMigrations,
  postgres: (postgres, schema) => {
    const rows = new PostgresBans(postgres, schema);
    return {
      reader: rows,
      written: (events) => {
        const changes = banChanges(events);
        return changes.length === 0 ? undefined : (ask) => rows.write(ask, changes);
      },
    };
  },
  rowsAt: banRowsAt,
};

const audit: SqlView<AuditReader> = {
  name: 'audit-log',
  tables: auditTables,
  sqlite: (db) => {
    const rows = new SqliteAuditLog(db);
    return { reader: rows, apply: (events) => rows.apply(events.flatMap(auditRecords)) };
  },
  migrations: auditMigrations,
  postgres: (postgres, schema) => {
    const rows = new PostgresAuditLog(postgres, schema);
    return {
      reader: rows,
      written: (events) => {
        const records = events.flatMap(auditRecords);
        return records.length === 0 ? undefined : (ask) => rows.write(ask, records);
      },
    };
  },
  rowsAt: auditRowsAt,
};

const reports: SqlView<ReportReader> = {
  name: 'reports',
  tables: reportTables,
  sqlite: (db) => {
    const rows = new SqliteReports(db);
    return { reader: rows, apply: (events) => rows.apply(reportChanges(events)) };
  },
  migrations: reportMigrations,
  postgres: (postgres, schema) => {
    const rows = new PostgresReports(postgres, schema);
    return {
      reader: rows,
      written: (events) => {
        const changes = reportChanges(events);
        return changes.length === 0 ? undefined : (ask) => rows.write(ask, changes);
      },
    };
  },
  rowsAt: reportRowsAt,
};

const snapshots: SqlView<SnapshotReader> = {
  name: 'snapshots',
  tables: snapshotTables,
  sqlite: (db, _, { foldOf, log }) => {
    const states = new SqliteSnapshots(db);
    const folding = new Folding(foldOf, log, states);
    return {
      reader: states,
      prepare: (events) => folding.prepare(events),
      apply: (events) => states.apply(folding.fold(events)),
      undone: () => folding.forget(),
    };
  },
  migrations: () => ({}),
  postgres: (postgres, schema, { foldOf, log }) => {
    const states = new PostgresSnapshots(postgres, schema);
    const folding = new Folding(foldOf, log, states);
    return {
      reader: states,
      prepare: (events) => folding.prepare(events),
      written: (events) => {
        const folded = folding.fold(events);
        return folded.length === 0 ? undefined : (ask) => states.write(ask, folded);
      },
      undone: () => folding.forget(),
    };
  },
  // Snapshots may be taken at different times.
  rowsAt: () => ({}),
};

const guilds: SqlView<GuildReader> = {
  name: 'guild-views',
  tables: guildTables,
  sqlite: (db, slices) => {
    const cache = new GuildCache();
    const writer = new SqliteGuildWriter(db, cache);
    const reader = new SqliteGuildReader(db, cache, slices);
    return { reader, apply: (events) => writer.apply(guildChanges(events)) };
  },
  migrations: guildMigrations,
  postgres: (postgres, schema) => {
    const writer = new PostgresGuildWriter(schema);
    return {
      reader: new PostgresGuildReader(guildQuestions(postgres, schema)),
      written: (events) => {
        const changes = guildChanges(events);
        return changes.length === 0 ? undefined : (ask) => writer.write(ask, changes);
      },
    };
  },
  rowsAt: guildRowsAt,
};

const streams: SqlView<StreamHeadReader> = {
  name: 'stream-heads',
  tables: headTables,
  sqlite: (db, slices) => {
    const heads = new SqliteStreamHeads(db, slices);
    return { reader: heads, apply: (events) => heads.apply(events) };
  },
  migrations: headMigrations,
  postgres: (postgres, schema) => {
    const heads = new PostgresStreamHeads(postgres, schema);
    return {
      reader: heads,
      written: (events) => (ask) => heads.write(ask, headChanges(events)),
      withCheckpoint: heads,
    };
  },
  rowsAt: headRowsAt,
};

/**
 * Views by reader name, in writing order. Guilds come last, because writers wait for each other at the guild counters.
 */
export const sqlViews = { audiences, snapshots, pins, bans, audit, reports, streams, guilds };

export type SqlViewName = keyof typeof sqlViews;
export const sqlViewNames = Object.keys(sqlViews) as readonly SqlViewName[];

type ReaderOf<V> = V extends SqlView<infer Reader> ? Reader : never;
export type SqlReaders = { readonly [Name in SqlViewName]: ReaderOf<(typeof sqlViews)[Name]> };

/** One reader for each view. */
export const sqlReaders = (readerOf: (name: SqlViewName) => unknown): SqlReaders =>
  Object.fromEntries(sqlViewNames.map((name) => [name, readerOf(name)])) as unknown as SqlReaders;
