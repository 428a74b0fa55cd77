/**
 * Every view that lives in an SQL store: its tables, its steps of migration, what it writes and who reads it, on the one
 * SQLite file and in a schema of PostgreSQL. A view that is not in the list is neither built nor read.
 */

import type { Migration, RawBuilder } from 'kysely';
import type { Fold } from '../../domain/decider.ts';
import type { LogReader } from '../../log/port.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { Ask, Postgres } from '../../stores/postgres/connection.ts';
import type { Connection } from '../../stores/sqlite/statements.ts';
import { audienceRowsAt, audienceTables, PostgresAudiences, SqliteAudiences } from './audience/sql.ts';
import { type AudienceReader, audienceEntries } from './audience/view.ts';
import { guildQuestions, guildRowsAt, PostgresGuildReader, PostgresGuildWriter } from './guild-views/postgres.ts';
import { GuildCache, SqliteGuildReader } from './guild-views/sqlite/reader.ts';
import { guildTables, SqliteGuildWriter } from './guild-views/sqlite/writer.ts';
import { type GuildReader, guildChanges } from './guild-views/view.ts';
import { PostgresPins, pinMigrations, pinRowsAt, pinTables, SqlitePins } from './pins/sql.ts';
import { type PinReader, pinChanges } from './pins/view.ts';
import { PostgresSnapshots, SqliteSnapshots, snapshotTables } from './snapshots/sql.ts';
import { Folding, type SnapshotReader } from './snapshots/view.ts';

/** How the states of a stream's kind are folded; `undefined` for streams without snapshots. */
export type FoldOf = (stream: string) => Fold<unknown> | undefined;

/** What a view may need besides its store. */
export interface ViewSources {
  readonly log: LogReader;
  readonly foldOf: FoldOf;
}

interface Prepared {
  /** Reads what the events will need; `undefined` when that is nothing. */
  prepare?(events: readonly ParleyEvent[]): Promise<void> | undefined;
  /** The transaction was rolled back. */
  undone?(): void;
}

export interface OnSqlite<Reader> extends Prepared {
  readonly reader: Reader;
  /** In one go, so that nobody on the same connection sees half of it. */
  apply(events: readonly ParleyEvent[]): void;
}

/** Within the transaction that holds the partition of the events. */
export type Write = (ask: Ask) => Promise<void>;

export interface OnPostgres<Reader> extends Prepared {
  readonly reader: Reader;
  /** What these events leave behind; `undefined` when that is nothing. */
  written(events: readonly ParleyEvent[]): Write | undefined;
}

export interface SqlView<Reader> {
  /** Name of the projection, in dead letters and metrics. */
  readonly name: string;
  /** Statements that create its tables in SQLite. A file with other tables is rebuilt. */
  readonly tables: string;
  sqlite(db: Connection, sources: ViewSources): OnSqlite<Reader>;
  /**
   * Steps that create and extend its tables in a generation of PostgreSQL, by name, beyond those of `001-tables`. A step
   * is carried out once and never changed afterwards.
   */
  migrations(schema: string): Readonly<Record<string, Migration>>;
  postgres(postgres: Postgres, schema: string, sources: ViewSources): OnPostgres<Reader>;
  /**
   * By table, rows as they were at a position, whatever came since: what two generations are compared by. Empty for rows
   * that may rightly differ.
   */
  rowsAt(at: number): Readonly<Record<string, RawBuilder<unknown>>>;
}

const audiences: SqlView<AudienceReader> = {
  name: 'audience',
  tables: audienceTables,
  sqlite: (db) => {
    const index = new SqliteAudiences(db);
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
  sqlite: (db) => {
    const rows = new SqlitePins(db);
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

const snapshots: SqlView<SnapshotReader> = {
  name: 'snapshots',
  tables: snapshotTables,
  sqlite: (db, { foldOf, log }) => {
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
  // They are taken when it suits.
  rowsAt: () => ({}),
};

const guilds: SqlView<GuildReader> = {
  name: 'guild-views',
  tables: guildTables,
  sqlite: (db) => {
    const cache = new GuildCache();
    const writer = new SqliteGuildWriter(db, cache);
    return { reader: new SqliteGuildReader(db, cache), apply: (events) => writer.apply(guildChanges(events)) };
  },
  migrations: () => ({}),
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

/** By the name of its reader, in the order of writing: guilds come last, because writers wait for each other at their counters. */
export const sqlViews = { audiences, snapshots, pins, guilds };

export type SqlViewName = keyof typeof sqlViews;
export const sqlViewNames = Object.keys(sqlViews) as readonly SqlViewName[];

type ReaderOf<V> = V extends SqlView<infer Reader> ? Reader : never;
export type SqlReaders = { readonly [Name in SqlViewName]: ReaderOf<(typeof sqlViews)[Name]> };

/** One reader for each view. */
export const sqlReaders = (readerOf: (name: SqlViewName) => unknown): SqlReaders =>
  Object.fromEntries(sqlViewNames.map((name) => [name, readerOf(name)])) as unknown as SqlReaders;
