/** One consumer in the group, from joining until it is stopped, fails or gets stuck. */

import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { type Clock, within } from '../../../schemas/clock.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import { ensureTopic, eventsTopic, kafkaOf, retryFor } from '../../../stores/kafka/connection.ts';
import type { PoisonedStreams } from '../../engine/dead-letters/port.ts';
import { Assignment, type FollowOptions } from '../assignment.ts';
import type { ParsedRecords } from '../parsed-records.ts';
import type { PartitionWorker } from '../worker.ts';
import { Membership } from './membership.ts';

const budgets = BUDGETS.kafka;

export interface KafkaFollowOptions extends Omit<FollowOptions, 'clock'> {
  /** Format: see `parseKafkaUrl`. */
  readonly url: string;
  /** Prefix of the group's name. */
  readonly namespace: string;
  /** Shared by all groups that this process follows. */
  readonly parsed: ParsedRecords;
  /** Called with the reason for each consumer that is replaced. */
  readonly onReplaced?: (reason: string, group: string) => void;
  /**
   * Minimum milliseconds between fetches while there are records to fetch: batches are fewer and larger. The first
   * records after an idle time are fetched at once. Default: none.
   */
  readonly gatherMs?: number;
  /** Milliseconds after which a consumer that its group does not confirm, or that gets no records, is replaced. */
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
  private readonly membership: Membership;
  private fetched = Number.NEGATIVE_INFINITY;
  private readonly committed = new Map<number, string>();
  private committing: Promise<void> | undefined;
  private endLooks: () => void = () => {};
  private started: Promise<void> = Promise.resolve();

  /** @param onConfirmed called whenever the group confirms this consumer */
  constructor(options: KafkaFollowOptions, poisoned: PoisonedStreams | undefined, onConfirmed: () => void) {
    const { url, namespace, group, logger, stuckMs = budgets.stuckMs, clock } = options;
    this.options = options;
    this.clock = clock;
    this.stuckMs = stuckMs;
    this.kafka = kafkaOf(url, `${namespace}-${group}`, logger, stuckMs);
    this.topic = eventsTopic(namespace);
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.assignment = new Assignment({ ...options, clock }, poisoned, (failure) => this.end(failure));
    this.membership = new Membership({
      stuckMs,
      fetchMs: budgets.requestMs,
      newest: () => this.newest(),
      onConfirmed,
      onLost: (reason) => this.end(reason),
      clock,
    });
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
    const { consumer, membership } = this;
    const { CRASH, FETCH, FETCH_START, GROUP_JOIN, HEARTBEAT, REBALANCING } = consumer.events;
    consumer.on(FETCH_START, () => membership.fetching());
    consumer.on(FETCH, () => {
      this.fetched = this.clock.monotonic();
    });
    consumer.on(HEARTBEAT, () => membership.heartbeat());
    consumer.on(REBALANCING, () => {
      membership.rebalancing();
      void this.assignment.release();
    });
    consumer.on(GROUP_JOIN, ({ payload }) => {
      const partitions = payload.memberAssignment[this.topic] ?? [];
      membership.joined(partitions);
      this.committed.clear();
      if (!this.stopping.signal.aborted) this.assignment.take(partitions);
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
        eachBatch: (payload) => this.membership.records(payload.batch.partition, () => this.take(payload)),
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
    if (this.stopping.signal.aborted) return;
    const { clock } = this;
    /** Grows when the wall clock is set forward. */
    const ahead = () => clock.wallTime() - clock.monotonic();
    let former = ahead();
    const look = () => {
      // kafkajs sends no heartbeat before the wall clock is where it was, and the group would go on without this consumer.
      if (former - ahead() > budgets.setBackMs) this.end(new Error('The wall clock was set back'));
      former = ahead();
      void this.commit();
      void this.membership.look();
    };
    this.endLooks = this.clock.every(Math.min(budgets.commitMs, this.stuckMs / 3), look);
  }

  private async newest(): Promise<ReadonlyMap<number, bigint>> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      const ends = await admin.fetchTopicOffsets(this.topic);
      return new Map(ends.map(({ partition, high }) => [partition, BigInt(high)]));
    } finally {
      await admin.disconnect();
    }
  }

  /**
   * Hands the records to the workers and returns, so that Kafka fetches the next ones while these are stored. The
   * resolved offset only says what to fetch next; the committed offset comes from the workers. Nothing is applied here,
   * so checking `isStale` once is enough.
   * @returns false when the partition is not followed
   */
  private async take({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<boolean> {
    const hold = this.hold(heartbeat);
    try {
      const worker = await Promise.race([this.assignment.worker(batch.partition), hold.broken]);
      if (!isRunning() || isStale()) return true;
      if (worker === undefined) return this.stopping.signal.aborted;
      const { logger, parsed } = this.options;
      const { partition } = batch;
      worker.push(
        batch.messages.map((message) =>
          parsed.read(partition, message, (err) =>
            logger.warn({ err, partition, offset: message.offset }, 'a record cannot be read'),
          ),
        ),
      );
      resolveOffset(batch.lastOffset());
      while (!worker.hasRoom && !this.stopping.signal.aborted) await Promise.race([worker.room(), hold.broken]);
      await this.gather(hold.broken);
      return true;
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
