/** One consumer's time in the group: it joins, follows what it is given, and ends by being stopped, failing or getting stuck. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import pTimeout from 'p-timeout';
import { ensureTopic, eventsTopic, kafkaOf, retryFor } from '../../../stores/kafka/connection.ts';
import type { PoisonedStreams } from '../../engine/dead-letters/port.ts';
import { parseEvent, parseTick } from '../records.ts';
import type { Delivered, PartitionWorker } from '../worker.ts';
import { Assignment, type FollowOptions } from './assignment.ts';

/** A tick has no key. What cannot be read is left out: the next tick tells that something is missing. */
const delivered = ({ key, value, offset }: KafkaMessage, onUnreadable: (failure: unknown) => void): Delivered => {
  const next = (BigInt(offset) + 1n).toString();
  try {
    const json = value?.toString() ?? '';
    return key === null ? { tick: parseTick(json), next } : { event: parseEvent(json), next };
  } catch (failure) {
    onUnreadable(failure);
    return { next };
  }
};

/** A killed member's partitions go to others after this; the least that brokers allow. */
const SESSION_MS = 6000;
/** How soon a member notices that others came or left. */
const HEARTBEAT_MS = 300;
/** Others wait as long for a member to come back with its partitions laid down. */
const REBALANCE_MS = 10_000;
/** A fetch without records ends after this: leaving waits for it. */
const FETCH_MS = 250;
/** 700 events or so: small, because a member decodes a fetch in one turn of the event loop. */
const FETCH_BYTES = 256 * 1024;
const COMMIT_MS = 1000;
/** A broker that is started again within it finds the members it had, and they go on at once. */
const STUCK_MS = 30_000;
const STOP_MS = 1000;
/** Stores answer within half of it; one that does not is not waited for. */
const LAST_BATCH_MS = 10_000;

export class GroupConsumer {
  /** Resolves with the reason when it cannot go on. */
  readonly ended: Promise<unknown>;
  private readonly options: FollowOptions;
  private readonly stuckMs: number;
  private readonly kafka: Kafka;
  private readonly topic: string;
  private readonly consumer: Consumer;
  private readonly assignment: Assignment;
  private readonly stopping = new AbortController();
  private end: (reason: unknown) => void = () => {};
  private sign = performance.now();
  private fetched = Number.NEGATIVE_INFINITY;
  private waitingForStore = 0;
  private readonly committed = new Map<number, string>();
  private committing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private started: Promise<void> = Promise.resolve();

  constructor(options: FollowOptions, poisoned: PoisonedStreams | undefined) {
    const { url, namespace, group, logger, stuckMs = STUCK_MS } = options;
    this.options = options;
    this.stuckMs = stuckMs;
    this.kafka = kafkaOf(url, `${namespace}-${group}`, logger, stuckMs);
    this.topic = eventsTopic(namespace);
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.assignment = new Assignment(options, poisoned, (failure) => this.end(failure));
    this.consumer = this.kafka.consumer({
      groupId: `${namespace}-${group}`,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: FETCH_MS,
      maxBytesPerPartition: FETCH_BYTES,
      allowAutoTopicCreation: false,
      // Whoever gets a new consumer does not want the old one to come back.
      retry: { ...retryFor(stuckMs), restartOnFailure: async () => false },
    });
    this.listen();
  }

  private listen(): void {
    const { consumer } = this;
    const { CRASH, FETCH, GROUP_JOIN, HEARTBEAT, REBALANCING } = consumer.events;
    const alive = () => {
      this.sign = performance.now();
    };
    consumer.on(FETCH, () => {
      alive();
      this.fetched = performance.now();
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
      // A consumer that is told to go while it joins does so when it has joined.
      if (this.stopping.signal.aborted) await this.consumer.disconnect().catch(() => {});
    }
  }

  private watch(): void {
    const { stuckMs } = this;
    this.sign = performance.now();
    if (this.stopping.signal.aborted) return;
    const look = () => {
      void this.commit();
      if (this.waitingForStore === 0 && performance.now() - this.sign > stuckMs)
        this.end(new Error(`There was no sign of life for ${stuckMs} ms`));
    };
    this.timer = setInterval(look, Math.min(COMMIT_MS, stuckMs / 2));
  }

  /**
   * Hands the records over and returns, so that the next are fetched while these are stored. The offset that is resolved says
   * what to fetch next; what is committed comes from the workers. Nothing is applied here, so one look at `isStale` is enough.
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

  /** The next fetch comes when the batches of this one have been handed over. */
  private async gather(broken: Promise<undefined>): Promise<void> {
    const { gatherMs = 0 } = this.options;
    const restMs = this.fetched + gatherMs - performance.now();
    if (restMs > 0) await Promise.race([wait(restMs), broken]);
  }

  /**
   * Keeps the place in the group while the store takes its time.
   * `broken` rejects when the group moves on, and resolves when all is to end.
   */
  private hold(heartbeat: () => Promise<void>): { readonly broken: Promise<undefined>; end(): void } {
    this.waitingForStore += 1;
    const { signal } = this.stopping;
    let timer: NodeJS.Timeout | undefined;
    let stopped = () => {};
    const broken = new Promise<undefined>((resolve, reject) => {
      stopped = () => resolve(undefined);
      signal.addEventListener('abort', stopped, { once: true });
      timer = setInterval(() => heartbeat().catch(reject), HEARTBEAT_MS);
    });
    broken.catch(() => {});
    return {
      broken,
      end: () => {
        this.waitingForStore -= 1;
        clearInterval(timer);
        signal.removeEventListener('abort', stopped);
      },
    };
  }

  /** Tells Kafka where to read on. Only a hint, so a failure is no matter. */
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

  /** Lays the partitions down, then leaves; a broker that does not answer is left without a word. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    const offsets = this.commit();
    await pTimeout(this.assignment.release(), { milliseconds: LAST_BATCH_MS, message: false });
    const left = Promise.all([offsets, this.started]).then(() => this.consumer.disconnect());
    await pTimeout(
      left.catch(() => {}),
      { milliseconds: STOP_MS, message: false },
    );
  }
}
