/** Connections to PostgreSQL, the same for log, vault, coordination and views. */

import { Kysely, PostgresDialect } from 'kysely';
import { Client, type ClientConfig, Pool, type PoolClient, types } from 'pg';
import type { Clock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { BUDGETS } from '../budgets.ts';
import {
  Guard,
  type Guarding,
  type GuardOptions,
  PlainGuard,
  reasonOf,
  retrying,
  Stopped,
  type Watch,
} from '../guard.ts';
import type { Statement } from '../statement.ts';
import { classify } from './failures.ts';

const { log, vault, views, idleMs, longMs } = BUDGETS.postgres;

/** The stores in PostgreSQL: the name of each in StoreUnavailable, and in the server's list of connections. */
const USES = {
  log: { store: 'log', application: 'parley log', ...log },
  /** `claimVault` looks for names like these. */
  vault: { store: 'vault', application: 'parley vault', ...vault },
  views: { store: 'guild-views', application: 'parley views', ...views },
};

/** Positions and counts stay far below 2^53. Ids do not, so they are selected as text. */
const bigintsAsNumbers: Pick<typeof types, 'getTypeParser'> = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
};

const configOf = (url: string, application: string, connectMs: number, answerMs: number): ClientConfig => ({
  connectionString: url,
  connectionTimeoutMillis: connectMs,
  query_timeout: answerMs,
  keepAlive: true,
  application_name: application,
  types: bigintsAsNumbers,
});

const poolOf = (config: ClientConfig, size: number): Pool => {
  const pool = new Pool({ ...config, max: size, idleTimeoutMillis: idleMs });
  // Lost connections are replaced. Without a listener, the error of one would end the process, even of an idle one.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
};

/**
 * Opens a separate connection.
 * @param onLost called when it breaks, perhaps before it is open
 * @param answerMs how long the server may take to answer, in milliseconds
 */
export const connectTo = async (
  url: string,
  use: keyof typeof USES,
  onLost: (client: Client) => void,
  answerMs: number = USES[use].answerMs,
): Promise<Client> => {
  const { application, connectMs } = USES[use];
  const client = new Client(configOf(url, application, connectMs, answerMs));
  // An idle connection that breaks reports it only here; without a listener it would end the process.
  client.on('error', () => onLost(client));
  client.on('end', () => onLost(client));
  await client.connect();
  return client;
};

interface Question {
  /** A named statement is planned once per connection. */
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export type Ask = <Row>(question: Question) => Promise<readonly Row[]>;

const askOn =
  (client: Pool | PoolClient): Ask =>
  async ({ values, ...question }) =>
    (await client.query({ ...question, ...(values === undefined ? {} : { values: [...values] }) })).rows;

interface PoolOptions {
  /** `postgres://[user:password@]host[:port]/database[?sslmode=verify-full]` */
  readonly url: string;
  /** Default 8. */
  readonly connections?: number | undefined;
  /** How long the server may take to answer, and to let in, in milliseconds. */
  readonly timeoutMs?: number;
  readonly watch?: Watch | undefined;
}

/** For the views alone, since nothing works without log and vault. */
interface BreakerOptions extends Partial<GuardOptions> {
  readonly clock: Clock;
}

interface ConnectOptions {
  readonly clock: Clock;
  /** Called for each failed attempt to connect, with the milliseconds until the next. */
  readonly onWaiting?: ((reason: string, nextMs: number) => void) | undefined;
  /** Ends the wait for a server. */
  readonly signal?: AbortSignal | undefined;
}

export type PostgresOptions = PoolOptions & BreakerOptions & ConnectOptions;

/**
 * A pool of connections. Each method throws StoreUnavailable while the server cannot answer, and otherwise its error.
 */
export class Postgres {
  private readonly store: string;
  private readonly answerMs: number;
  private readonly pool: Pool;
  private readonly guard: Guarding;
  private readonly begin: string;
  private readonly longer: ClientConfig;

  /** Connects on first use. */
  constructor(use: 'log' | 'vault', options: PoolOptions);
  constructor(use: keyof typeof USES, options: PoolOptions & BreakerOptions);
  constructor(
    use: keyof typeof USES,
    { url, connections, timeoutMs, watch, ...breaker }: PoolOptions & Partial<BreakerOptions>,
  ) {
    const usual = USES[use];
    const { store, application } = usual;
    this.store = store;
    this.answerMs = timeoutMs ?? usual.answerMs;
    const config = configOf(url, application, timeoutMs ?? usual.connectMs, this.answerMs);
    // A process that hangs in a transaction must not hold rows or locks for ever.
    const idleMs = 2 * this.answerMs;
    this.longer = { ...config, query_timeout: longMs, idle_in_transaction_session_timeout: idleMs };
    this.pool = poolOf(config, connections ?? usual.connections);
    // Nothing works without log and vault, so they have no circuit breaker.
    this.guard =
      'retrySeconds' in usual
        ? new PlainGuard(store, usual.retrySeconds, classify, watch)
        : new Guard(store, { ...usual, ...breaker, timeoutMs: this.answerMs }, classify, breaker.clock!, watch);
    this.begin = `BEGIN; SET LOCAL statement_timeout = ${this.answerMs};
      SET LOCAL idle_in_transaction_session_timeout = ${idleMs}`;
  }

  /** Rows as objects, by column name. */
  readonly ask: Ask = (question) => this.guard.run(() => askOn(this.pool)(question));

  /** Rows as arrays, in the order of the selected columns: half the work for many rows. */
  rows<Row extends readonly unknown[]>(
    text: string,
    values: readonly unknown[] = [],
    name?: string,
  ): Promise<readonly Row[]> {
    const question = { text, values: [...values], rowMode: 'array' as const, ...(name === undefined ? {} : { name }) };
    return this.guard.run(async () => (await this.pool.query(question)).rows as unknown as readonly Row[]);
  }

  /** Returns a function that runs a statement under its own name. */
  prepared<Given extends readonly unknown[], Row>(
    name: string,
    { sql, bind }: Statement<Given, Row>,
  ): (...given: Given) => Promise<readonly Row[]> {
    return (...given) => this.ask<Row>({ name, text: sql, values: bind(given) });
  }

  /** All of it or nothing. `work` may throw only the server's errors. */
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
        // Ending the connection rolls back what was not committed.
        client.release(broken);
      }
    });
  }

  /**
   * For work that takes longer than an answer, such as creating tables or scanning all rows. On a separate
   * connection.
   */
  long<T>(work: (kysely: Kysely<unknown>) => Promise<T>): Promise<T> {
    return this.guard.run(async () => {
      const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: poolOf(this.longer, 1) }) });
      try {
        return await work(kysely);
      } finally {
        await kysely.destroy();
      }
    });
  }

  /**
   * Waits, with back-off, until the server answers. Closes the pool if that fails.
   * @throws StoreUnavailable when `signal` ends the waiting; the server's own error for settings that cannot be right
   */
  async whenAnswering({ clock, onWaiting, signal }: ConnectOptions): Promise<void> {
    try {
      await retrying(() => this.pool.query('SELECT 1'), {
        clock,
        signal,
        again: (failure) => classify(failure) === 'transient',
        firstMs: 250,
        onRetry: (failure, _, nextMs) => onWaiting?.(reasonOf(failure), nextMs),
      });
    } catch (error) {
      await this.close();
      if (!(error instanceof Stopped)) throw error;
      throw new StoreUnavailable(this.store, Math.ceil(this.answerMs / 1000), { cause: error });
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

/**
 * Opens the server of the views: waits, with back-off, until it answers.
 * @throws StoreUnavailable when `signal` ends the waiting; the server's own error for settings that cannot be right
 */
export const openPostgres = async ({ onWaiting, signal, ...options }: PostgresOptions): Promise<Postgres> => {
  const postgres = new Postgres('views', options);
  await postgres.whenAnswering({ clock: options.clock, onWaiting, signal });
  return postgres;
};
