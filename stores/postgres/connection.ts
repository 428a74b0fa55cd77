/** The connection to the PostgreSQL of the views. */

import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { Kysely, PostgresDialect } from 'kysely';
import { Client, type ClientConfig, Pool, type PoolClient, types } from 'pg';
import type { ViewTables } from '../../projections/cluster/postgres/migrations.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { type FailureKind, Guard, type GuardOptions } from '../guard.ts';
import type { Statement } from '../statement.ts';

// What PostgreSQL's error codes say, for log, vault and views alike. Told by their shape: no driver is known here.

/** Five letters or digits; `undefined` for a failure that the server did not word itself. */
export const sqlStateOf = (error: unknown): string | undefined => {
  const { severity, code } = error instanceof Error ? (error as { severity?: unknown; code?: unknown }) : {};
  return typeof severity === 'string' && typeof code === 'string' ? code : undefined;
};

/** Connections, deadlocks, resources, an operator, the system beneath; and a copy that takes no writes after a fail-over. */
const PASSING = /^(08|40|53|55|57|58|25006)/;

/** An error that the server itself answered with and that another try would meet again. */
export const isFinal = (error: unknown): boolean => {
  const state = sqlStateOf(error);
  return state !== undefined && !PASSING.test(state);
};

/** Connections to PostgreSQL: how they are made, and which failures say nothing about what was asked. */
const LOG_CONNECT_MS = 3000;
/** A server that does not answer within this is treated as gone. */
const LOG_STATEMENT_MS = 10_000;

const configOf = (url: string): ClientConfig => ({
  connectionString: url,
  connectionTimeoutMillis: LOG_CONNECT_MS,
  query_timeout: LOG_STATEMENT_MS,
  keepAlive: true,
  application_name: 'parley log',
});

/** @param onLost told that it broke, perhaps before it was made */
export const connectTo = async (url: string, onLost: (client: Client) => void): Promise<Client> => {
  const client = new Client(configOf(url));
  // An idle connection that breaks says so only here; unheard it would end the process.
  client.on('error', () => onLost(client));
  client.on('end', () => onLost(client));
  await client.connect();
  return client;
};

export const logPoolOf = (url: string, size: number): Pool => {
  const pool = new Pool({ ...configOf(url), max: size, idleTimeoutMillis: 60_000 });
  pool.on('error', () => {});
  return pool;
};

/** A full disk. */
export const isFull = (error: unknown): boolean => sqlStateOf(error) === '53100';

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

// What a failure of PostgreSQL says: of the event, of the server, or of its tables.

/** Thrown while values are put together, before anything is sent. */
const isValueFault = (failure: unknown): boolean =>
  failure instanceof TypeError || failure instanceof SyntaxError || failure instanceof RangeError;

/** Of the values themselves: data, constraints, and what is too large for an index. */
const OF_THE_VALUES = /^(22|23|54)/;
/** No such table, column or schema. */
const NO_TABLE = /^(42P01|42703|3F000)/;

/** Only what is said about the event's own values is permanent: all else is worth waiting for. */
export const kindOf = (failure: unknown): FailureKind => {
  if (isValueFault(failure)) return 'permanent';
  const state = sqlStateOf(failure);
  if (state === undefined) return 'transient';
  if (NO_TABLE.test(state)) return 'damaged';
  return OF_THE_VALUES.test(state) ? 'permanent' : 'transient';
};

/** Whether the server could not be asked, or could not answer: what counts for the circuit breaker. */
const isOutage = (failure: unknown): boolean => !isValueFault(failure) && !isFinal(failure);

/** The vault's PostgreSQL: queries that answer within seconds or say that the vault cannot be asked. */
const VAULT_CONNECT_MS = 3000;
const VAULT_STATEMENT_MS = 5000;
const VAULT_CONNECTIONS = 8;
const RETRY_SECONDS = 2;

export interface Database {
  rows<R>(text: string, values?: readonly unknown[]): Promise<readonly R[]>;
  /** All of it or nothing. */
  transaction<T>(work: (query: Database['rows']) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const queryOn =
  (client: Pool | PoolClient): Database['rows'] =>
  async (text, values = []) => {
    try {
      const result = await client.query({ text, values: [...values], rowMode: 'array' });
      return result.rows as never;
    } catch (error) {
      if (isFinal(error)) throw error;
      throw new StoreUnavailable('vault', RETRY_SECONDS, { cause: error });
    }
  };

/** @param url `postgres://[user:password@]host[:port]/database[?sslmode=...]` */
export const openDatabase = (url: string): Database => {
  const pool = new Pool({
    connectionString: url,
    max: VAULT_CONNECTIONS,
    connectionTimeoutMillis: VAULT_CONNECT_MS,
    query_timeout: VAULT_STATEMENT_MS,
    keepAlive: true,
    application_name: 'parley vault',
  });
  // A connection that breaks is replaced; unheard, its error would end the process, be it idle or in a transaction.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    rows: queryOn(pool),
    async transaction(work) {
      const client = await pool.connect().catch((error: unknown) => {
        throw new StoreUnavailable('vault', RETRY_SECONDS, { cause: error });
      });
      let broken = true;
      try {
        const query = queryOn(client);
        await query('BEGIN');
        const result = await work(query);
        await query('COMMIT');
        broken = false;
        return result;
      } finally {
        // Ending the connection takes back what was not committed.
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
};

export interface PostgresOptions extends Partial<GuardOptions> {
  /** `postgres://[user:password@]host[:port]/database[?sslmode=verify-full]` */
  readonly url: string;
  /** Default 8. */
  readonly connections?: number;
  /** Told of each failed attempt to connect, with the milliseconds until the next. */
  readonly onWaiting?: (reason: string, nextMs: number) => void;
  /** Ends waiting for a server that does not come. */
  readonly signal?: AbortSignal;
}

/** Measured: an answer takes 1 ms, so one that takes 5 s will not come. A restarted server is back within seconds. */
const postgresGuard: GuardOptions = { timeoutMs: 5000, failureRatio: 0.5, openMs: 5000 };

const CONNECTIONS = 8;
/** For going through all rows: a million takes some seconds. */
const LONG_MS = 600_000;
const STORE = 'guild-views';

/** A statement with a name is planned once for each connection. */
interface Question {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export type Ask = <Row>(question: Question) => Promise<readonly Row[]>;

/** Positions and counts stay far below 2^53; ids, which do not, are selected as text. */
const typesOfViews: Pick<typeof types, 'getTypeParser'> = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
};

const viewsPoolOf = ({ url, connections = CONNECTIONS }: PostgresOptions, timeoutMs: number): Pool => {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    keepAlive: true,
    application_name: 'parley views',
    types: typesOfViews,
  });
  // Lost connections are replaced. Unheard, the error of one would end the process, be it idle or in a transaction.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
};

const askOn =
  (client: Pool | PoolClient): Ask =>
  async ({ values, ...question }) =>
    (await client.query({ ...question, ...(values === undefined ? {} : { values: [...values] }) })).rows;

export class Postgres {
  /** To build statements with. */
  readonly kysely: Kysely<ViewTables>;
  private readonly url: string;
  private readonly pool: Pool;
  private readonly guard: Guard;
  private readonly begin: string;

  constructor(url: string, pool: Pool, settings: GuardOptions) {
    this.url = url;
    this.pool = pool;
    this.kysely = new Kysely({ dialect: new PostgresDialect({ pool }) });
    this.guard = new Guard(STORE, settings, isOutage);
    // A process that stops in the midst of it must not keep others from the rows for ever.
    this.begin = `BEGIN; SET LOCAL statement_timeout = ${settings.timeoutMs};
      SET LOCAL idle_in_transaction_session_timeout = ${2 * settings.timeoutMs}`;
  }

  /** @throws StoreUnavailable, DatabaseError */
  readonly ask: Ask = (question) => this.guard.run(() => askOn(this.pool)(question));

  /**
   * A function that asks a statement under a name of its own.
   * @throws StoreUnavailable, DatabaseError
   */
  prepared<Given extends readonly unknown[], Row>(
    name: string,
    { sql, bind }: Statement<Given, Row>,
  ): (...given: Given) => Promise<readonly Row[]> {
    return (...given) => this.ask<Row>({ name, text: sql, values: bind(given) });
  }

  /**
   * All of it or nothing. What `work` throws must be the server's.
   * @throws StoreUnavailable, DatabaseError
   */
  transaction<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.guard.run(async () => {
      const client = await this.pool.connect();
      let broken = true;
      try {
        await client.query(this.begin);
        const result = await work(askOn(client));
        await client.query('COMMIT');
        broken = false;
        return result;
      } finally {
        // Ending the connection takes back what was not committed.
        client.release(broken);
      }
    });
  }

  /**
   * What takes longer than an answer: making tables, going through all rows.
   * @throws StoreUnavailable, DatabaseError
   */
  long<T>(work: (kysely: Kysely<ViewTables>) => Promise<T>): Promise<T> {
    return this.guard.run(async () => {
      const pool = viewsPoolOf({ url: this.url, connections: 2 }, LONG_MS);
      const kysely = new Kysely<ViewTables>({ dialect: new PostgresDialect({ pool }) });
      try {
        return await work(kysely);
      } finally {
        await kysely.destroy();
      }
    });
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

const causeOf = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(causeOf).join('; ');
  return error instanceof Error ? error.message : String(error);
};

/**
 * Waits, with back-off, until the server answers.
 * @throws StoreUnavailable when `signal` ends the waiting; the server's own error for settings that cannot be right
 */
export const openPostgres = async (options: PostgresOptions): Promise<Postgres> => {
  const settings: GuardOptions = {
    timeoutMs: options.timeoutMs ?? postgresGuard.timeoutMs,
    failureRatio: options.failureRatio ?? postgresGuard.failureRatio,
    openMs: options.openMs ?? postgresGuard.openMs,
  };
  const waiting = retry(handleWhen(isOutage), {
    maxAttempts: Number.POSITIVE_INFINITY,
    backoff: new ExponentialBackoff({ initialDelay: 250, maxDelay: 5000 }),
  });
  waiting.onRetry((failed) => {
    if ('error' in failed) options.onWaiting?.(causeOf(failed.error), failed.delay);
  });
  const pool = viewsPoolOf(options, settings.timeoutMs);
  try {
    await waiting.execute(() => pool.query('SELECT 1'), options.signal);
    return new Postgres(options.url, pool, settings);
  } catch (error) {
    await pool.end();
    if (!isOutage(error)) throw error;
    throw new StoreUnavailable(STORE, Math.ceil(settings.timeoutMs / 1000), { cause: error });
  }
};
