/**
 * The servers that a process depends on. Each is waited for until it answers, and opened once, whatever roles need it.
 */

import type { Logger } from 'pino';
import type { Checkpoints, Leaderships, Workers } from '../../coordination/port.ts';
import { openCheckpoints } from '../../coordination/postgres/checkpoints.ts';
import { openLeaderships } from '../../coordination/postgres/leadership.ts';
import { openWorkers } from '../../coordination/postgres/workers.ts';
import { WORKERS } from '../../domain/snowflake.ts';
import type { EventLog } from '../../log/port.ts';
import { openPostgresEventLog } from '../../log/postgres/event-log.ts';
import { openDeadLetters } from '../../projections/engine/dead-letters/postgres.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { ClusterConfig, Config } from '../../schemas/config.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { type Cassandra, keyspaceOf, openCassandra } from '../../stores/cassandra/connection.ts';
import { reasonOf, retrying } from '../../stores/guard.ts';
import { ensureTopic, eventsTopic, kafkaOf } from '../../stores/kafka/connection.ts';
import { classify, isLoginRefused } from '../../stores/kafka/failures.ts';
import { openPostgres, type Postgres } from '../../stores/postgres/connection.ts';
import { openRedis, type Redis } from '../../stores/redis/connection.ts';
import { hostsOf } from '../../stores/urls.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Vault } from '../../vault/port.ts';
import { openPostgresVault } from '../../vault/postgres/vault.ts';
import type { EdgeOptions } from '../edges.ts';
import { meteredLog } from '../metered-log.ts';

// Waiting for servers at start: reports each server that cannot be reached, the reason, and the time of the next try.

/** What the stores' guards make of every failure that their driver's `classify` calls transient. */
const isUnavailable = (failure: unknown): boolean => failure instanceof StoreUnavailable;

/** Nothing guards Kafka. */
export const kafkaIsUnavailable = (failure: unknown): boolean =>
  classify(failure) === 'transient' && !isLoginRefused(failure);

interface ServerAddress {
  /** The server's name for operators, such as `Redis`. */
  readonly name: string;
  readonly variable: string;
  readonly url: string;
}

const waitingLine = ({ name, variable, url }: ServerAddress, reason: string, nextMs?: number): string =>
  `${name} (${variable}) cannot be reached at ${hostsOf(url)}: ${reason}. Parley waits for it and tries again${
    nextMs === undefined ? '' : ` in ${(nextMs / 1000).toFixed(1)} s`
  }.`;

/**
 * Tries until the server answers.
 * @param say called for every failed try
 * @param again whether another try may succeed; default: for StoreUnavailable alone
 * @throws at once if another try cannot succeed: wrong credentials, no such database, a store of a newer version
 */
export const reach = <T>(
  place: ServerAddress,
  open: () => Promise<T>,
  say: (line: string) => void,
  clock: Clock,
  again: (failure: unknown) => boolean = isUnavailable,
): Promise<T> =>
  retrying(open, {
    clock,
    again,
    firstMs: 250,
    onRetry: (failure, _, nextMs) => say(waitingLine(place, reasonOf(failure), nextMs)),
  });

/** Reports to people who start the process what it is waiting for. */
export type Say = (line: string) => void;

/** Closes everything in reverse order of opening, even when a close fails. */
export class Opened {
  private readonly closing: (() => Promise<unknown> | unknown)[] = [];

  add<T>(thing: T, close: (thing: T) => Promise<unknown> | unknown): T {
    this.closing.push(() => close(thing));
    return thing;
  }

  async close(): Promise<void> {
    for (const close of this.closing.splice(0).reverse()) await close();
  }
}

const PLACES = {
  log: ['The event log', 'PARLEY_LOG_URL', 'logUrl'],
  vault: ['The vault', 'PARLEY_VAULT_URL', 'vaultUrl'],
  views: ['The PostgreSQL of the guild views', 'PARLEY_VIEWS_URL', 'viewsUrl'],
  redis: ['Redis', 'PARLEY_REDIS_URL', 'redisUrl'],
  kafka: ['Kafka', 'PARLEY_KAFKA_URL', 'kafkaUrl'],
  cassandra: ['Cassandra', 'PARLEY_CASSANDRA_URL', 'cassandraUrl'],
} as const satisfies Record<string, readonly [name: string, variable: string, key: keyof ClusterConfig]>;

/** @param open returns a promise if opening takes time */
const once = <T extends object>(open: () => T): (() => T) => {
  let opening: T | undefined;
  return () => {
    opening ??= open();
    return opening;
  };
};

export interface Distribution {
  readonly url: string;
  readonly namespace: string;
  readonly partitions: number;
}

export class Connections {
  readonly config: Config;
  readonly clock: Clock;
  readonly opened = new Opened();
  private readonly metrics: Metrics;
  private readonly logger: Logger;
  private readonly spans: EdgeOptions['spans'];
  private readonly say: Say;

  constructor({ config, metrics, logger, clock, spans }: EdgeOptions, say: Say) {
    this.config = config;
    this.clock = clock;
    this.metrics = metrics;
    this.logger = logger;
    this.spans = spans;
    this.say = say;
  }

  private place(of: keyof typeof PLACES): ServerAddress {
    const [name, variable, key] = PLACES[of];
    // The configuration of a cluster is refused without it.
    return { name, variable, url: this.config.cluster[key]! };
  }

  private readonly waiting = (of: keyof typeof PLACES) => (reason: string, nextMs?: number) =>
    this.say(waitingLine(this.place(of), reason, nextMs));

  /** If the log ends before the position that the vault remembers, it has another history from there on. */
  readonly log = once(async (): Promise<EventLog> => {
    const place = this.place('log');
    const onCommit = (events: number) => this.metrics.appendBatch.observe(events);
    const options = { url: place.url, clock: this.clock, onCommit };
    // Its driver takes a quarter of the time to start, and most clusters do without.
    const open =
      this.config.cluster.log === 'kurrentdb'
        ? (await import('../../log/kurrentdb/event-log.ts')).openKurrentEventLog
        : openPostgresEventLog;
    const log = await reach(place, () => open(options), this.say, this.clock);
    this.opened.add(log, (one) => one.close());
    const remembered = await (await this.vault()).rememberedPosition();
    if (remembered?.epoch === log.epoch && remembered.position > (await log.head())) await log.renewEpoch();
    return meteredLog(log, this.metrics, this.logger, this.clock, this.spans);
  });

  readonly vault = once(async (): Promise<Vault> => {
    const place = this.place('vault');
    const vault = await reach(place, () => openPostgresVault({ url: place.url }), this.say, this.clock);
    return this.opened.add(vault, (one) => one.close());
  });

  readonly checkpoints = once(async (): Promise<Checkpoints> => {
    const place = this.place('vault');
    const checkpoints = await reach(place, () => openCheckpoints(place.url), this.say, this.clock);
    return this.opened.add(checkpoints, (one) => one.close());
  });

  /** Locks for what only one process at a time may be or do. */
  readonly leaderships = once((): Leaderships => {
    return this.opened.add(openLeaderships({ url: this.place('vault').url, clock: this.clock }), (one) => one.close());
  });

  readonly workers = once((): Workers => {
    const workers = openWorkers({ url: this.place('vault').url, workers: WORKERS, clock: this.clock });
    return this.opened.add(workers, (one) => one.close());
  });

  readonly views = once(async (): Promise<Postgres> => {
    const { url } = this.place('views');
    return this.opened.add(await openPostgres({ url, clock: this.clock, onWaiting: this.waiting('views') }), (one) =>
      one.close(),
    );
  });

  /** Stored beside the guild views, since skipping events belongs to the read side. */
  readonly deadLetters = once(async () => openDeadLetters(await this.views(), this.clock.wallTime));

  readonly redis = once(async (): Promise<Redis> => {
    const { redisTimeoutMs: timeoutMs, redisOpenMs: openMs } = this.config.cluster;
    const say = this.waiting('redis');
    let here = false;
    const onWaiting = (reason: string) => {
      if (!here) say(reason);
    };
    const redis = openRedis({ url: this.place('redis').url, timeoutMs, openMs, clock: this.clock, onWaiting });
    this.opened.add(redis, (one) => one.close());
    await redis.whenConnected();
    here = true;
    return redis;
  });

  /** The distribution log's settings for its writers and followers; its topic exists. @throws WrongPartitions */
  readonly distribution = once(async (): Promise<Distribution> => {
    const { namespace, partitions } = this.config.cluster;
    const { url } = this.place('kafka');
    const kafka = kafkaOf(url, `${namespace}-start`, this.logger);
    const open = () => ensureTopic(kafka, eventsTopic(namespace), partitions);
    await reach(this.place('kafka'), open, this.say, this.clock, kafkaIsUnavailable);
    return { url, namespace, partitions };
  });

  readonly cassandra = once(async (): Promise<Cassandra> => {
    const { cassandraTimeoutMs: timeoutMs, cassandraOpenMs: openMs, namespace } = this.config.cluster;
    const { url } = this.place('cassandra');
    const onWaiting = this.waiting('cassandra');
    const keyspace = keyspaceOf(namespace);
    return this.opened.add(
      await openCassandra({ url, keyspace, timeoutMs, openMs, clock: this.clock, onWaiting }),
      (one) => one.close(),
    );
  });
}
