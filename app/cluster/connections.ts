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
import type { ProgressChannel } from '../../projections/engine/progress/port.ts';
import { redisProgress } from '../../projections/engine/progress/redis.ts';
import { OwnFeed } from '../../projections/feed/own-feed.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Config } from '../../schemas/settings.ts';
import { type Cassandra, keyspaceOf, openCassandra } from '../../stores/cassandra/connection.ts';
import { Stopped, type Watch } from '../../stores/guard.ts';
import { ensureTopic, eventsTopic, kafkaOf } from '../../stores/kafka/connection.ts';
import { openPostgres, type Postgres } from '../../stores/postgres/connection.ts';
import { openRedis, type Redis } from '../../stores/redis/connection.ts';
import { hostsOf } from '../../stores/urls.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Vault } from '../../vault/port.ts';
import { openPostgresVault } from '../../vault/postgres/vault.ts';
import type { EdgeOptions } from '../edges.ts';
import { meteredLog } from '../metered-log.ts';
import { Opened } from '../opened.ts';
import { Outages } from './outages.ts';
import { addressOf, PLACES, type PlaceName, type ServerAddress } from './places.ts';
import { kafkaIsUnavailable, reach, type Say, waitingLine } from './reach.ts';

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
  readonly outages: Outages;
  private readonly metrics: Metrics;
  private readonly logger: Logger;
  private readonly spans: EdgeOptions['spans'];
  private readonly say: Say;
  private readonly signal: AbortSignal;
  private readonly awaited = new Set<PlaceName>();

  /** @param signal ends the waiting for servers, with StoreUnavailable or Stopped */
  constructor(
    { config, metrics, logger, clock, spans }: EdgeOptions,
    say: Say,
    signal: AbortSignal = new AbortController().signal,
  ) {
    this.config = config;
    this.clock = clock;
    this.metrics = metrics;
    this.logger = logger;
    this.spans = spans;
    this.say = say;
    this.signal = signal;
    this.outages = new Outages({ logger, metrics, clock });
  }

  /** A sentence for each server that has not answered since the start. */
  waitingFor(): readonly string[] {
    return [...this.awaited].map((of) => `waiting for ${PLACES[of].name} (${PLACES[of].variable})`);
  }

  /** Opens these at once, so that every one that does not answer is reported. */
  async reachAll(places: readonly PlaceName[]): Promise<void> {
    const open: Readonly<Record<PlaceName, () => Promise<unknown>>> = {
      log: this.log,
      vault: this.checkpoints,
      views: this.views,
      redis: this.redis,
      kafka: this.distribution,
      cassandra: this.cassandra,
    };
    const opening = places.map((of) => open[of]());
    for (const one of opening) one.catch(() => {});
    await Promise.all(opening);
  }

  private place(of: PlaceName): ServerAddress {
    return addressOf(of, this.config.cluster);
  }

  watch(of: PlaceName): Watch {
    const { name, variable, meanwhile, repair } = PLACES[of];
    return this.outages.watch({ store: of, name, variable, hosts: hostsOf(this.place(of).url), meanwhile, repair });
  }

  /** Notes what `open` waits for, until it has it. */
  private async awaiting<T>(of: PlaceName, open: () => Promise<T>): Promise<T> {
    this.awaited.add(of);
    const opened = await open();
    this.awaited.delete(of);
    return opened;
  }

  private reach<T>(of: PlaceName, open: () => Promise<T>, again?: (failure: unknown) => boolean): Promise<T> {
    return this.awaiting(of, () => reach(this.place(of), open, this.say, this.clock, again, this.signal));
  }

  private readonly waiting = (of: PlaceName) => (reason: string, nextMs?: number) =>
    this.say(waitingLine(this.place(of), reason, nextMs));

  /** If the log ends before the position that the vault remembers, it has another history from there on. */
  readonly log = once(async (): Promise<EventLog> => {
    const place = this.place('log');
    const onCommit = (events: number) => this.metrics.appendBatch.observe(events);
    const { logger, metrics } = this;
    const onForeign = () => metrics.foreignEvents.inc();
    const { log: kind, logMaxAppendBytes: maxAppendBytes } = this.config.cluster;
    const options = { url: place.url, clock: this.clock, maxAppendBytes, onCommit, onForeign, logger };
    // Its driver takes a quarter of the time to start, and most clusters do without.
    const open =
      kind === 'kurrentdb'
        ? (await import('../../log/kurrentdb/event-log.ts')).openKurrentEventLog
        : openPostgresEventLog;
    const log = await this.reach('log', () => open(options));
    this.opened.add(log, (one) => one.close());
    const remembered = await (await this.vault()).rememberedPosition();
    if (remembered?.epoch === log.epoch && remembered.position > (await log.head())) await log.renewEpoch();
    return meteredLog(log, this.metrics, this.logger, this.clock, this.spans);
  });

  readonly vault = once(async (): Promise<Vault> => {
    const options = { url: this.place('vault').url, watch: this.watch('vault') };
    const vault = await this.reach('vault', () => openPostgresVault(options));
    return this.opened.add(vault, (one) => one.close());
  });

  readonly checkpoints = once(async (): Promise<Checkpoints> => {
    const checkpoints = await this.reach('vault', () => openCheckpoints(this.place('vault').url, this.watch('vault')));
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
    const { clock, signal } = this;
    const options = { url, clock, signal, onWaiting: this.waiting('views'), watch: this.watch('views') };
    return this.opened.add(await this.awaiting('views', () => openPostgres(options)), (one) => one.close());
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
    const watch = this.watch('redis');
    const redis = openRedis({ url: this.place('redis').url, timeoutMs, openMs, clock: this.clock, onWaiting, watch });
    this.opened.add(redis, (one) => one.close());
    if (!(await this.awaiting('redis', () => redis.whenConnected(this.signal)))) throw new Stopped();
    here = true;
    return redis;
  });

  /** One for the process: its node learns at once how far the views are that it stores itself. */
  readonly progress = once(async (): Promise<ProgressChannel> => {
    const channel = redisProgress(await this.redis(), this.config.cluster.namespace, this.clock);
    return this.opened.add(channel, (one) => one.stop());
  });

  /** From this process's projector to its gateway. */
  readonly ownFeed = new OwnFeed();

  /** The distribution log's settings for its writers and followers; its topic exists. @throws WrongPartitions */
  readonly distribution = once(async (): Promise<Distribution> => {
    const { namespace, partitions } = this.config.cluster;
    const { url } = this.place('kafka');
    const kafka = kafkaOf(url, `${namespace}-start`, this.logger);
    const open = () => ensureTopic(kafka, eventsTopic(namespace), partitions);
    await this.reach('kafka', open, kafkaIsUnavailable);
    return { url, namespace, partitions };
  });

  readonly cassandra = once(async (): Promise<Cassandra> => {
    const { cassandraTimeoutMs: timeoutMs, cassandraOpenMs: openMs, namespace } = this.config.cluster;
    const { url } = this.place('cassandra');
    const { clock, signal } = this;
    const options = {
      ...{ url, keyspace: keyspaceOf(namespace), timeoutMs, openMs, clock, signal },
      ...{ onWaiting: this.waiting('cassandra'), watch: this.watch('cassandra') },
    };
    return this.opened.add(await this.awaiting('cassandra', () => openCassandra(options)), (one) => one.close());
  });
}
