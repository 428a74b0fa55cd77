/** The connection to Cassandra or ScyllaDB. */

import { auth, Client, type ClientOptions, policies, types } from 'cassandra-driver';
import type { Clock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { BUDGETS } from '../budgets.ts';
import { Guard, type GuardOptions, retrying, Stopped, type Watch } from '../guard.ts';
import { addressOf, parseServers } from '../urls.ts';
import { classify, isNoKeyspace, reasonsOf } from './failures.ts';

interface CassandraUrl {
  /** `host:port` of the nodes to contact first. */
  readonly contactPoints: readonly string[];
  readonly localDataCenter: string;
  readonly tls: boolean;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
}

/** @throws TypeError for an invalid URL. The message never repeats the URL, which may contain a password. */
export const parseCassandraUrl = (url: string): CassandraUrl => {
  const { servers, username, password, options } = parseServers(url, {
    form: 'cassandra://[user:password@]host:port[,host:port][?dc=datacenter1&tls=true]',
    schemes: ['cassandra'],
    options: ['dc', 'tls'],
  });
  return {
    contactPoints: servers.map(addressOf),
    localDataCenter: options.get('dc') ?? 'datacenter1',
    tls: options.get('tls') === 'true',
    credentials: username === undefined ? undefined : { username, password: password ?? '' },
  };
};

/**
 * @param namespace the installation's: lower-case letters, digits, `-` and `_`, a letter first, 48 characters at most
 * @throws TypeError for any other
 */
export const keyspaceOf = (namespace: string): string => {
  const keyspace = namespace.replaceAll('-', '_');
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(keyspace)) throw new TypeError(`No keyspace can be named after "${namespace}"`);
  return keyspace;
};

interface CassandraOptions extends Partial<GuardOptions> {
  /** See `parseCassandraUrl`. */
  readonly url: string;
  /** From `keyspaceOf`. Created if missing, with one copy per data centre; create it beforehand to have more. */
  readonly keyspace: string;
  readonly clock: Clock;
  /** Called for each failed attempt to connect, with the milliseconds until the next. */
  readonly onWaiting?: (reason: string, nextMs: number) => void;
  /** Ends the wait for a server. */
  readonly signal?: AbortSignal;
  readonly watch?: Watch;
}

const { answerMs, failureRatio, openMs, schema, reconnectMs } = BUDGETS.cassandra;

export interface Statement {
  readonly query: string;
  readonly params: readonly unknown[];
}

const clientOptions = (url: CassandraUrl, timeoutMs: number): ClientOptions => ({
  contactPoints: [...url.contactPoints],
  localDataCenter: url.localDataCenter,
  ...(url.credentials === undefined
    ? {}
    : { authProvider: new auth.PlainTextAuthProvider(url.credentials.username, url.credentials.password) }),
  ...(url.tls ? { sslOptions: { rejectUnauthorized: true } } : {}),
  // A channel's progress is read before its rows, and must not be newer than rows from another node.
  queryOptions: { consistency: types.consistencies.localQuorum },
  socketOptions: { readTimeout: timeoutMs, connectTimeout: timeoutMs },
  policies: { reconnection: new policies.reconnection.ConstantReconnectionPolicy(reconnectMs) },
  encoding: { map: Map, useBigIntAsLong: true },
});

const connected = async (options: ClientOptions): Promise<Client> => {
  const client = new Client(options);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.shutdown().catch(() => {});
    throw error;
  }
};

const ensureKeyspace = async (options: ClientOptions, keyspace: string): Promise<void> => {
  const client = await connected(options);
  try {
    if (client.metadata.keyspaces[keyspace] !== undefined) return;
    // ScyllaDB refuses SimpleStrategy, the equivalent for one data centre, since 2025.4.
    await client.execute(
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace}
       WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}`,
      [],
      { readTimeout: schema.answerMs },
    );
  } finally {
    await client.shutdown();
  }
};

/** Whether all nodes that are up have the same tables. The driver's types leave the method out. */
const allAgree = ({ metadata }: Client): Promise<boolean> =>
  (metadata as unknown as { checkSchemaAgreement(): Promise<boolean> }).checkSchemaAgreement();

/** Queries are prepared, idempotent and sent to a node that holds the rows. */
export class Cassandra {
  readonly keyspace: string;
  readonly client: Client;
  private readonly guard: Guard;
  private readonly clock: Clock;

  constructor(client: Client, keyspace: string, guard: Guard, clock: Clock) {
    this.client = client;
    this.keyspace = keyspace;
    this.guard = guard;
    this.clock = clock;
  }

  /**
   * @returns every row, over however many pages the server needs (ScyllaDB ends one after 1 MB).
   * @throws StoreUnavailable, ResponseError
   */
  execute<Row = never>(query: string, params: readonly unknown[]): Promise<readonly Row[]> {
    return this.guard.run(async () => {
      const answer = await this.client.execute(query, params as unknown[], { prepare: true, isIdempotent: true });
      // A write has no rows in its answer.
      if (!answer.pageState) return (answer.rows ?? []) as unknown as readonly Row[];
      const rows: Row[] = [];
      for await (const row of answer) rows.push(row as unknown as Row);
      return rows;
    });
  }

  /**
   * Writes to one partition become visible at once. The first statement's partition determines the node.
   * @throws StoreUnavailable, ResponseError
   */
  async batch(statements: readonly Statement[]): Promise<void> {
    const queries = statements as { query: string; params: unknown[] }[];
    await this.guard.run(() => this.client.batch(queries, { prepare: true, logged: false, isIdempotent: true }));
  }

  /**
   * Creates, alters, drops or truncates a table, and tries again while no answer comes.
   * @param happened asks whether the change has happened; called after each failure, whose outcome is unknown
   * @throws StoreUnavailable, ResponseError
   */
  define(statement: string, happened: () => Promise<boolean>): Promise<void> {
    const until = this.clock.monotonic() + schema.triedMs;
    // The driver would send an idempotent statement to other nodes without asking.
    const options = { readTimeout: schema.answerMs, isIdempotent: false };
    const changed = async () => {
      try {
        await this.guard.run(() => this.client.execute(statement, [], options));
      } catch (failure) {
        const agreed = async () => (await happened()) && (await allAgree(this.client));
        if (!(await agreed().catch(() => false))) throw failure;
      }
    };
    return retrying(changed, {
      clock: this.clock,
      firstMs: schema.pauseMs,
      again: (failure) => failure instanceof StoreUnavailable && this.clock.monotonic() < until,
    });
  }

  close(): Promise<void> {
    return this.client.shutdown();
  }
}

/**
 * Waits, with back-off, until a server answers.
 * @throws StoreUnavailable when `signal` ends the waiting; TypeError or the driver's own error for settings that cannot
 * be right
 */
export const openCassandra = async (options: CassandraOptions): Promise<Cassandra> => {
  const { keyspace, clock, signal, onWaiting } = options;
  const settings: GuardOptions = {
    timeoutMs: options.timeoutMs ?? answerMs,
    failureRatio: options.failureRatio ?? failureRatio,
    openMs: options.openMs ?? openMs,
  };
  const url = parseCassandraUrl(options.url);
  try {
    const client = await retrying(
      async () => {
        // A client modifies its options, so each client gets its own.
        await ensureKeyspace(clientOptions(url, settings.timeoutMs), keyspace);
        return connected({ ...clientOptions(url, settings.timeoutMs), keyspace });
      },
      {
        clock,
        signal,
        // A keyspace that another process is creating is listed some milliseconds before it is usable.
        again: (failure) => classify(failure) === 'transient' || isNoKeyspace(failure),
        firstMs: 250,
        onRetry: (failure, _, nextMs) => onWaiting?.(reasonsOf(failure), nextMs),
      },
    );
    return new Cassandra(client, keyspace, new Guard('timelines', settings, classify, clock, options.watch), clock);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    throw new StoreUnavailable('timelines', Math.ceil(settings.timeoutMs / 1000), { cause: error });
  }
};
