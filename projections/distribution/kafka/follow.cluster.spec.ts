import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryCheckpoints } from '../../../coordination/memory.ts';
import { MemoryLog } from '../../../log/memory.ts';
import { systemClock } from '../../../schemas/clock.ts';
import { urls } from '../../../services/endpoints.ts';
import { eventsTopic } from '../../../stores/kafka/connection.ts';
import { WrongPartitions } from '../../../stores/kafka/failures.ts';
import { byStream, MemorySink, memoryDeadLetters } from '../../engine/testing.ts';
import { Story } from '../../testing.ts';
import type { Following } from '../assignment.ts';
import { distributionContract } from '../contract.ts';
import { ParsedRecords } from '../parsed-records.ts';
import type { Relay } from '../relay.ts';
import { dropNamespace, foundIn, randomNamespace, rawContentsOf, silent, withAdmin } from '../testing.ts';
import type { KafkaFollowOptions } from './consumer.ts';
import { deadLettersTopic, followPartitions } from './follow.ts';
import { type RelayOptions, startRelay } from './relay.ts';

const PARTITIONS = 4;

const onFailure = (failure: unknown) => {
  throw failure;
};

let namespace: string;
let log: MemoryLog;
let story: Story;
let checkpoints: MemoryCheckpoints;
let sink: MemorySink;
let open: { stop(): Promise<void> }[];

const relay = (over: Partial<RelayOptions> = {}): Relay => {
  const started = startRelay({
    log,
    url: urls.kafka,
    namespace,
    partitions: PARTITIONS,
    checkpoints,
    logger: silent,
    clock: systemClock,
    onFailure,
    ...over,
  });
  open.push(started);
  return started;
};
const follow = (over: Partial<KafkaFollowOptions> = {}): Following => {
  const following = followPartitions({
    url: urls.kafka,
    namespace,
    partitions: PARTITIONS,
    group: 'timelines-g1',
    parsed: new ParsedRecords(),
    log,
    sink,
    logger: silent,
    clock: systemClock,
    onFailure,
    ...over,
  });
  open.push(following);
  return following;
};
const post = (count: number) => {
  for (let n = 0; n < count; n += 1) story.post(String(100 + (n % 23)), '1');
};
/** Each event exactly once, in order within each stream. */
const expectAll = () => {
  expect(byStream(sink.events)).toEqual(byStream([...log.all].sort((a, b) => a.position - b.position)));
  expect(sink.events.length).toBe(log.all.length);
};

beforeEach(() => {
  namespace = randomNamespace();
  log = new MemoryLog();
  story = new Story(log);
  checkpoints = new MemoryCheckpoints();
  sink = new MemorySink(PARTITIONS);
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((running) => running.stop()));
  await dropNamespace(namespace);
});

distributionContract('Kafka', async () => {
  const namespace = randomNamespace();
  const topic = eventsTopic(namespace);
  const common = { url: urls.kafka, namespace, partitions: PARTITIONS, logger: silent, clock: systemClock, onFailure };
  return {
    partitions: PARTITIONS,
    until: (check) => expect.poll(check, { interval: 10, timeout: 30_000 }).toBe(true),
    relay: (options) => startRelay({ ...common, ...options }),
    follow: (options) =>
      followPartitions({ ...common, ...options, parsed: new ParsedRecords(), group: 'timelines-g1' }),
    contents: async () => (await rawContentsOf(topic)).map(foundIn),
    expire: () =>
      withAdmin(async (admin) => {
        const ends = await admin.fetchTopicOffsets(topic);
        const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
        await admin.deleteTopicRecords({ topic, partitions });
      }),
    dispose: () => dropNamespace(namespace),
  };
});

describe('a relay to Kafka', () => {
  it('refuses a topic with another number of partitions, and says what to do', async () => {
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic: eventsTopic(namespace), numPartitions: 3 }] }));
    const failure = await new Promise<unknown>((resolve) => relay({ onFailure: resolve }));
    expect(failure).toBeInstanceOf(WrongPartitions);
    expect(String(failure)).toMatch(/has 3 partitions, PARLEY_PARTITIONS says 4.*set it to 3/);
  });
});

/** What kafkajs does inside a consumer. */
const insideKafkajs = (
  createRequire(import.meta.url)('kafkajs/src/consumer/consumerGroup.js') as {
    readonly prototype: { joinAndSync(): Promise<void>; heartbeat(options: unknown): Promise<void> };
  }
).prototype;

describe('followers of Kafka', () => {
  it('go on when the wall clock is wrong and jumps, which kafkajs goes by', async () => {
    const now = Date.now.bind(Date);
    let off = 0;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + off);
    const replaced: string[] = [];
    // Brokers refuse records that are dated an hour ahead.
    off = 2 * 86_400_000;
    relay();
    follow({ onReplaced: (reason) => replaced.push(reason) });
    post(20);
    await sink.until(20);
    // Heartbeats would end for four days.
    off = -off;
    await vi.waitFor(() => expect(replaced).toEqual(['The wall clock was set back']), 10_000);
    post(20);
    await sink.until(40);
    // All requests under way seem to take two minutes.
    off += 120_000;
    post(20);
    await sink.until(60);
    expectAll();
    vi.restoreAllMocks();
  });

  it('are replaced when their join after a rebalance fails and kafkajs goes on fetching without them', async () => {
    const replaced: string[] = [];
    relay();
    const following = follow({ onReplaced: (reason) => replaced.push(reason) });
    post(100);
    await sink.until(100);
    // As after a restart of Kafka: the coordinator is not ready for the heartbeat, and still loads at the join.
    const join = vi.spyOn(insideKafkajs, 'joinAndSync').mockRejectedValueOnce(new Error('the coordinator is loading'));
    vi.spyOn(insideKafkajs, 'heartbeat').mockRejectedValueOnce(
      Object.assign(new Error('this is not the coordinator'), { type: 'NOT_COORDINATOR_FOR_GROUP' }),
    );
    await expect.poll(() => join.mock.calls.length).toBeGreaterThan(0);
    vi.restoreAllMocks();
    post(100);
    await sink.until(200);
    expectAll();
    expect(replaced).toEqual(['It fetches although it has not joined its group again']);
    expect(following.unconfirmedMs()).toBeLessThan(5000);
  });

  it('fetch no more often than configured, however few records arrive', async () => {
    relay();
    follow({ gatherMs: 300 });
    post(1);
    await sink.until(1);
    const began = performance.now();
    for (let count = 2; count <= 4; count += 1) {
      post(1);
      await sink.until(count);
    }
    expect(performance.now() - began).toBeGreaterThan(2 * 300);
    expectAll();
  });

  it('continue after the topic was deleted and recreated', async () => {
    const running = relay();
    follow();
    post(500);
    await sink.until(500);
    await withAdmin((admin) => admin.deleteTopics({ topics: [eventsTopic(namespace)] }));
    post(500);
    await sink.until(1000);
    expect(running.position).toBe(1000);
    expectAll();
  });
  it('get every event, also those that the relay must send alone and those that no broker takes', async () => {
    for (let n = 0; n < 60; n += 1) story.post('100', '1');
    const grown: readonly [number, string][] = [
      [10, 'a'.repeat(900_000)],
      [20, '😀'.repeat(225_000)],
      [30, '中'.repeat(500_000)],
      [40, '\u0001'.repeat(200_000)],
    ];
    for (const [at, extra] of grown) Object.assign(log.all[at]!, { data: { ...log.all[at]!.data, extra } });
    const lines: object[] = [];
    let leftOut = 0;
    relay({
      logger: { ...silent, error: (fields) => void lines.push(fields) },
      onLeftOut: () => {
        leftOut += 1;
      },
    });
    follow();
    await sink.when(() => sink.events.length === 60);
    expect(byStream(sink.events)).toEqual(byStream(log.all));
    expect(leftOut).toBe(2);
    expect(lines).toMatchObject([{ stream: 'channel-100' }, { stream: 'channel-100' }]);
  });

  it('hand over their partitions within a second', async () => {
    relay();
    const one = follow();
    const two = follow();
    post(100);
    await sink.until(100);
    await sink.when(() => {
      post(1);
      return one.positions().size === 2 && two.positions().size === 2;
    });
    const began = performance.now();
    await one.stop();
    post(100);
    await sink.until(log.all.length);
    // Measured: 0.3 s. A killed member keeps its partitions for 6.5 s.
    expect(performance.now() - began).toBeLessThan(6000);
    expectAll();
  });

  it('publish events that the store refuses to a separate topic, for anyone who watches Kafka', async () => {
    relay();
    follow({ deadLetters: memoryDeadLetters() });
    sink.kind = 'permanent';
    sink.fails = ({ events }) =>
      events.some(({ position }) => position === 30) ? new Error('it does not fit') : undefined;
    post(100);
    await sink.until(100);
    const { stream, sequence } = log.all[29]!;
    const [record, ...others] = await rawContentsOf(deadLettersTopic(namespace));
    expect(others).toEqual([]);
    expect({ ...record, value: JSON.parse(record!.value) }).toEqual({
      partition: 0,
      key: stream,
      value: log.all[29],
      headers: {
        error: 'it does not fit',
        attempts: '4',
        source: `${stream}/${sequence}/30`,
        projection: 'timelines-g1',
      },
    });
  });
});
