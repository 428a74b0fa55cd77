/** The connection to the PostgreSQL of the views. */
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { Kysely, PostgresDialect } from 'kysely';
import { Pool, type PoolClient, types } from 'pg';
import { Guard, type GuardOptions } from '../guard.ts';
import type { Statement } from '../statement.ts';
import { StoreUnavailable } from '../unavailable.ts';
import { isOutage } from './failures.ts';
import type { ViewTables } from './tables.ts';

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
export const postgresGuard: GuardOptions = { timeoutMs: 5000, failureRatio: 0.5, openMs: 5000 };

const CONNECTIONS = 8;
/** For going through all rows: a million takes some seconds. */
const LONG_MS = 600_000;
const STORE = 'guild-views';

/** A statement with a name is planned once for each connection. */
export interface Question {
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

const poolOf = ({ url, connections = CONNECTIONS }: PostgresOptions, timeoutMs: number): Pool => {
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
      const pool = poolOf({ url: this.url, connections: 2 }, LONG_MS);
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

const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
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
    if ('error' in failed) options.onWaiting?.(reasonOf(failed.error), failed.delay);
  });
  const pool = poolOf(options, settings.timeoutMs);
  try {
    await waiting.execute(() => pool.query('SELECT 1'), options.signal);
    return new Postgres(options.url, pool, settings);
  } catch (error) {
    await pool.end();
    if (!isOutage(error)) throw error;
    throw new StoreUnavailable(STORE, Math.ceil(settings.timeoutMs / 1000), { cause: error });
  }
};
