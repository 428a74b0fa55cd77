/** One consumer in the group, from joining until it is stopped, fails or gets stuck. */

import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { type Clock, within } from '../../../schemas/clock.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import { ensureTopic, eventsTopic, kafkaOf, retryFor } from '../../../stores/kafka/connection.ts';
import type { PoisonedStreams } from '../../engine/dead-letters/port.ts';
import { Assignment, type FollowOptions } from '../assignment.ts';
import { type Delivered, deliveredOf, type PartitionWorker } from '../worker.ts';

const delivered = ({ key, value, offset }: KafkaMessage, onUnreadable: (failure: unknown) => void): Delivered =>
  deliveredOf(value?.toString() ?? '', key === null, (BigInt(offset) + 1n).toString(), onUnreadable);

const budgets = BUDGETS.kafka;

export interface KafkaFollowOptions extends Omit<FollowOptions, 'clock'> {
  /** Format: see `parseKafkaUrl`. */
  readonly url: string;
  /** Prefix of the group's name. */
  readonly namespace: string;
  /** Called with the reason for each consumer that is replaced. */
  readonly onReplaced?: (reason: string) => void;
  /**
   * Minimum milliseconds between fetches while there are records to fetch: batches are fewer and larger. The first
   * records after an idle time are fetched at once. Default: none.
   */
  readonly gatherMs?: number;
  /** Milliseconds after which a consumer that cannot reach Kafka or shows no sign of life is replaced. */
  readonly stuckMs?: number;
  readonly clock: Clock;
}

export class GroupConsumer {
  /** Resolves with the reason when the consumer cannot continue. */
  readonly ended: Promise<unknown>;
  private readonly options: KafkaFollowOptions;
  private readonly clock: Clock;
  private readonly stuckMs: number;
  private readonly kafka: Kafka;
  private readonly topic: string;
  private readonly consumer: Consumer;
  private readonly assignment: Assignment;
  private readonly stopping = new AbortController();
  private end: (reason: unknown) => void = () => {};
  private sign: number;
  private fetched = Number.NEGATIVE_INFINITY;
  private waitingForStore = 0;
  private readonly committed = new Map<number, string>();
  private committing: Promise<void> | undefined;
  private endLooks: () => void = () => {};
  private started: Promise<void> = Promise.resolve();

  constructor(options: KafkaFollowOptions, poisoned: PoisonedStreams | undefined) {
    const { url, namespace, group, logger, stuckMs = budgets.stuckMs, clock } = options;
    this.options = options;
    this.clock = clock;
    this.sign = clock.monotonic();
    this.stuckMs = stuckMs;
    this.kafka = kafkaOf(url, `${namespace}-${group}`, logger, stuckMs);
    this.topic = eventsTopic(namespace);
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.assignment = new Assignment({ ...options, clock }, poisoned, (failure) => this.end(failure));
    this.consumer = this.kafka.consumer({
      groupId: `${namespace}-${group}`,
      sessionTimeout: budgets.sessionMs,
      rebalanceTimeout: budgets.rebalanceMs,
      heartbeatInterval: budgets.heartbeatMs,
      maxWaitTimeInMs: budgets.fetchMs,
      maxBytesPerPartition: budgets.fetchBytes,
      allowAutoTopicCreation: false,
      // The caller replaces a failed consumer, so kafkajs must not restart it.
      retry: { ...retryFor(stuckMs), restartOnFailure: async () => false },
    });
    this.listen();
  }

  private listen(): void {
    const { consumer } = this;
    const { CRASH, FETCH, GROUP_JOIN, HEARTBEAT, REBALANCING } = consumer.events;
    const alive = () => {
      this.sign = this.clock.monotonic();
    };
    consumer.on(FETCH, () => {
      alive();
      this.fetched = this.clock.monotonic();
    });
    consumer.on(HEARTBEAT, alive);
    consumer.on(REBALANCING, () => {
      alive();
      void this.assignment.release();
    });
    consumer.on(GROUP_JOIN, ({ payload }) => {
      alive();
      this.committed.clear();
      if (!this.stopping.signal.aborted) this.assignment.take(payload.memberAssignment[this.topic] ?? []);
    });
    consumer.on(CRASH, ({ payload }) => this.end(payload.error));
  }

  start(): void {
    this.started = this.run();
  }

  private async run(): Promise<void> {
    const { partitions } = this.options;
    try {
      await ensureTopic(this.kafka, this.topic, partitions);
      await this.consumer.connect();
      await this.consumer.subscribe({ topics: [this.topic], fromBeginning: true });
      if (this.stopping.signal.aborted) return;
      await this.consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: partitions,
        eachBatch: (payload) => this.take(payload),
      });
      this.watch();
    } catch (failure) {
      this.end(failure);
    } finally {
      // A consumer that is stopped while it joins stops once it has joined.
      if (this.stopping.signal.aborted) await this.consumer.disconnect().catch(() => {});
    }
  }

  private watch(): void {
    const { stuckMs } = this;
    this.sign = this.clock.monotonic();
    if (this.stopping.signal.aborted) return;
    const look = () => {
      void this.commit();
      if (this.waitingForStore === 0 && this.clock.monotonic() - this.sign > stuckMs)
        this.end(new Error(`There was no sign of life for ${stuckMs} ms`));
    };
    this.endLooks = this.clock.every(Math.min(budgets.commitMs, stuckMs / 2), look);
  }

  /**
   * Hands the records to the workers and returns, so that Kafka fetches the next ones while these are stored. The
   * resolved offset only says what to fetch next; the committed offset comes from the workers. Nothing is applied here,
   * so checking `isStale` once is enough.
   */
  private async take({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const hold = this.hold(heartbeat);
    try {
      const worker = await Promise.race([this.assignment.worker(batch.partition), hold.broken]);
      if (worker === undefined || !isRunning() || isStale()) return;
      const { logger } = this.options;
      worker.push(
        batch.messages.map((message) =>
          delivered(message, (err) =>
            logger.warn({ err, partition: batch.partition, offset: message.offset }, 'a record cannot be read'),
          ),
        ),
      );
      resolveOffset(batch.lastOffset());
      while (!worker.hasRoom && !this.stopping.signal.aborted) await Promise.race([worker.room(), hold.broken]);
      await this.gather(hold.broken);
    } finally {
      hold.end();
    }
  }

  /** Delays the next fetch until the batches of this one are handed over. */
  private async gather(broken: Promise<undefined>): Promise<void> {
    const { gatherMs = 0 } = this.options;
    const restMs = this.fetched + gatherMs - this.clock.monotonic();
    if (restMs > 0) await Promise.race([this.clock.delay(restMs), broken]);
  }

  /**
   * Keeps the membership alive while the store takes its time. `broken` rejects when the group rebalances and resolves
   * when the consumer stops.
   */
  private hold(heartbeat: () => Promise<void>): { readonly broken: Promise<undefined>; end(): void } {
    this.waitingForStore += 1;
    const { signal } = this.stopping;
    let endBeats = () => {};
    let stopped = () => {};
    const broken = new Promise<undefined>((resolve, reject) => {
      stopped = () => resolve(undefined);
      signal.addEventListener('abort', stopped, { once: true });
      endBeats = this.clock.every(budgets.heartbeatMs, () => heartbeat().catch(reject));
    });
    broken.catch(() => {});
    return {
      broken,
      end: () => {
        this.waitingForStore -= 1;
        endBeats();
        signal.removeEventListener('abort', stopped);
      },
    };
  }

  /** Commits the offsets to Kafka. They are only a hint, so a failure does not matter. */
  private commit(): Promise<void> {
    this.committing ??= this.commitNow().finally(() => {
      this.committing = undefined;
    });
    return this.committing;
  }

  private async commitNow(): Promise<void> {
    const moved = [...this.assignment.followed].flatMap(([partition, worker]: [number, PartitionWorker]) => {
      const { offset } = worker;
      return offset === undefined || offset === this.committed.get(partition) ? [] : [{ partition, offset }];
    });
    if (moved.length === 0) return;
    try {
      await this.consumer.commitOffsets(moved.map((at) => ({ topic: this.topic, ...at })));
      for (const { partition, offset } of moved) this.committed.set(partition, offset);
    } catch (err) {
      this.options.logger.debug({ err }, 'offsets were not committed');
    }
  }

  positions(): ReadonlyMap<number, number> {
    return new Map([...this.assignment.followed].map(([partition, worker]) => [partition, worker.position]));
  }

  /** Releases the partitions, then leaves the group. If the broker does not answer, leaves without telling it. */
  async stop(): Promise<void> {
    this.endLooks();
    this.stopping.abort();
    const offsets = this.commit();
    await within(this.clock, budgets.lastBatchMs, this.assignment.release());
    const left = Promise.all([offsets, this.started]).then(() => this.consumer.disconnect());
    await within(
      this.clock,
      budgets.stopMs,
      left.catch(() => {}),
    );
  }
}
