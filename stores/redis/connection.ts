/** The connection to Redis: every command is answered within its time limit, or fails. */

import { createHash } from 'node:crypto';
import {
  Cluster,
  type ClusterOptions,
  ReplyError,
  Redis as Standalone,
  type RedisOptions as StandaloneOptions,
} from 'ioredis';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../budgets.ts';
import { Guard, type GuardOptions, type Watch } from '../guard.ts';
import { parseServers, type ServersUrl } from '../urls.ts';
import { classify } from './failures.ts';

/** Scripts are lost after a restart, and missing on a node that has just become the master. */
const isUnknownScript = (failure: unknown): boolean =>
  failure instanceof ReplyError && (failure as Error).message.startsWith('NOSCRIPT');

interface RedisUrl {
  /** If more than one, nodes of a Redis Cluster to contact first. */
  readonly nodes: ServersUrl['servers'];
  /** `rediss://` */
  readonly tls: boolean;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** @throws TypeError for an invalid URL. The message never repeats the URL, which may contain a password. */
export const parseRedisUrl = (url: string): RedisUrl => {
  const { scheme, servers, path, username, password } = parseServers(url, {
    form: 'redis://[user:password@]host:port[,host:port][/database], or rediss:// for TLS',
    schemes: ['redis', 'rediss'],
    port: 6379,
    path: /^\d{0,4}$/,
    userless: true,
  });
  const database = Number(path);
  if (servers.length > 1 && database !== 0)
    throw new TypeError('A Redis Cluster has no databases besides 0: leave it out of redis://');
  return { nodes: servers, tls: scheme === 'rediss', database, username, password };
};

export interface RedisOptions extends Partial<GuardOptions> {
  /** See `parseRedisUrl`. */
  readonly url: string;
  /** Name of the store in StoreUnavailable. Default: `unread`. */
  readonly store?: string;
  readonly clock: Clock;
  /** Called for each failed attempt to connect. */
  readonly onWaiting?: (reason: string) => void;
  readonly watch?: Watch;
}

const budgets = BUDGETS.redis;

/** One server, or a cluster; the commands are the same. */
export type RedisClient = Standalone | Cluster;

/** Milliseconds between attempts to connect. */
const reconnectMs = (attempts: number): number => Math.min(50 * attempts, budgets.longestReconnectMs);
/** Settings that differ between the connections of one process. */
interface Purpose {
  readonly name: string;
  readonly subscribes: boolean;
}

const standaloneOptions = (url: RedisUrl, timeoutMs: number, { name }: Purpose): StandaloneOptions => ({
  connectionName: `parley-${name}`,
  disableClientInfo: true,
  ...(url.username === undefined ? {} : { username: url.username }),
  ...(url.password === undefined ? {} : { password: url.password }),
  ...(url.tls ? { tls: {} } : {}),
  commandTimeout: timeoutMs,
  connectTimeout: timeoutMs,
  keepAlive: budgets.keepAliveMs,
  disconnectTimeout: budgets.disconnectMs,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // Nobody handles failures of the driver's own resubscription, which would end the process.
  autoResubscribe: false,
  // A master has become a replica: the address may now lead to another server.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
});

/**
 * Answers carry no number: after a missing one, each later answer could be matched to the wrong command. So a
 * connection on which a command timed out is replaced.
 */
const mistrustTimeouts = (client: Standalone): void => {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    command.promise.catch((failure: Error) => {
      if (failure.message === 'Command timed out' && client.status === 'ready') client.disconnect(true);
    });
    return send(command, stream);
  };
};

const connect = (url: RedisUrl, timeoutMs: number, purpose: Purpose): RedisClient => {
  const options = standaloneOptions(url, timeoutMs, purpose);
  const [first] = url.nodes;
  if (url.nodes.length === 1 && first !== undefined) {
    const client = new Standalone({
      ...options,
      ...first,
      db: url.database,
      enableOfflineQueue: false,
      retryStrategy: reconnectMs,
    });
    mistrustTimeouts(client);
    return client;
  }
  const cluster: ClusterOptions = {
    redisOptions: options,
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectMs,
    clusterNodeRetryStrategy: reconnectMs,
    slotsRefreshTimeout: timeoutMs,
    maxRedirections: budgets.redirections,
    retryDelayOnFailover: budgets.redirectionMs,
    retryDelayOnClusterDown: budgets.redirectionMs,
    retryDelayOnTryAgain: budgets.redirectionMs,
    shardedSubscribers: purpose.subscribes,
    // Certificates name hosts, not addresses.
    ...(url.tls ? { dnsLookup: (host, found) => found(null, host) } : {}),
  };
  const client = new Cluster([...url.nodes], cluster);
  client.on('+node', mistrustTimeouts);
  return client;
};

/** A script is sent to a server once and then called by its hash. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') });

export class Redis {
  /** For commands. Fails at once while there is no connection. */
  readonly client: RedisClient;
  private readonly url: RedisUrl;
  private readonly timeoutMs: number;
  private readonly onWaiting: ((reason: string) => void) | undefined;
  private readonly guard: Guard;
  private readonly connections = new Set<RedisClient>();

  /** @throws TypeError for an invalid URL */
  constructor(options: RedisOptions) {
    const settings: GuardOptions = {
      timeoutMs: options.timeoutMs ?? budgets.answerMs,
      failureRatio: options.failureRatio ?? budgets.failureRatio,
      openMs: options.openMs ?? budgets.openMs,
    };
    this.url = parseRedisUrl(options.url);
    this.timeoutMs = settings.timeoutMs;
    this.onWaiting = options.onWaiting;
    this.guard = new Guard(options.store ?? 'unread', settings, classify, options.clock, options.watch);
    this.client = this.connection({ name: 'commands', subscribes: false });
  }

  /** Whether it is a Redis Cluster, where the keys of one script must share a slot. */
  get clustered(): boolean {
    return this.url.nodes.length > 1;
  }

  /** True while there is a connection for commands. */
  get connected(): boolean {
    return this.client.status === 'ready';
  }

  /** @throws StoreUnavailable; the server's error about the command, unchanged */
  run<T>(ask: (client: RedisClient) => Promise<T>): Promise<T> {
    return this.guard.run(() => ask(this.client));
  }

  /** Runs a script. All keys must share a hash tag. @throws like `run` */
  evaluate<T>({ lua, sha }: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<T> {
    return this.run(async (client) => {
      try {
        return (await client.evalsha(sha, keys.length, ...keys, ...args)) as T;
      } catch (failure) {
        if (!isUnknownScript(failure)) throw failure;
        return (await client.eval(lua, keys.length, ...keys, ...args)) as T;
      }
    });
  }

  /**
   * Matching keys in pages, unordered and perhaps repeated, with the connection of the server that holds them. Scans
   * every key of the server: for tools, not for serving requests. @throws like `run`
   */
  async *scan(pattern: string): AsyncGenerator<{ readonly server: Standalone; readonly keys: readonly string[] }> {
    const servers = this.client instanceof Cluster ? this.client.nodes('master') : [this.client];
    for (const server of servers) {
      let cursor = '0';
      do {
        const from = cursor;
        const [next, keys] = await this.run(() => server.scan(from, 'MATCH', pattern, 'COUNT', budgets.scanned));
        cursor = next;
        if (keys.length > 0) yield { server, keys };
      } while (cursor !== '0');
    }
  }

  /**
   * Another connection, for publishing: messages to one slot arrive in order. Bypasses the circuit breaker; fails at
   * once while not connected.
   */
  publisher(name = 'publisher'): RedisClient {
    return this.connection({ name, subscribes: false });
  }

  /**
   * Another connection, for plain and sharded subscriptions. On a single server nothing is subscribed at `ready`, so
   * subscribe then; `close` signals the loss. A cluster renews sharded subscriptions itself after losing a node
   * (`subscribersReady`); channels of one call must share a slot.
   */
  subscriber(name = 'subscriber'): RedisClient {
    return this.connection({ name, subscribes: true });
  }

  private connection(purpose: Purpose): RedisClient {
    const client = connect(this.url, this.timeoutMs, purpose);
    // Connections recover by themselves; without a listener, their errors would end the process.
    client.on('error', (error: Error) => this.onWaiting?.(error.message));
    this.connections.add(client);
    client.once('end', () => this.connections.delete(client));
    return client;
  }

  /**
   * Resolves to true as soon as commands can be sent, or to false when `signal` aborts.
   * @throws the server's error if waiting does not help: a wrong password, no such database
   */
  async whenConnected(signal?: AbortSignal): Promise<boolean> {
    if (this.connected) return true;
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.client.off('ready', settle);
        this.client.off('end', settle);
        this.client.off('error', refuse);
        signal?.removeEventListener('abort', settle);
      };
      const settle = () => {
        leave();
        resolve(this.connected);
      };
      const refuse = (failure: Error) => {
        if (classify(failure) !== 'damaged') return;
        leave();
        reject(failure);
      };
      this.client.on('error', refuse);
      this.client.on('ready', settle);
      this.client.on('end', settle);
      signal?.addEventListener('abort', settle);
      if (signal?.aborted) settle();
    });
  }

  /** Ends every connection opened here, and whatever waits on them. */
  close(): void {
    for (const client of this.connections) client.disconnect();
  }
}

/** Starts connecting, and retries for as long as it takes. Never waits: see `whenConnected`. @throws TypeError */
export const openRedis = (options: RedisOptions): Redis => new Redis(options);
