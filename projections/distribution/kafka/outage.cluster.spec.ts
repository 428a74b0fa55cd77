import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MemoryCheckpoints } from '../../../coordination/memory.ts';
import { MemoryLog } from '../../../log/memory.ts';
import { systemClock } from '../../../schemas/clock.ts';
import type { OwnServices } from '../../../services/port.ts';
import { privateServices } from '../../../services/private.ts';
import { byStream, MemorySink } from '../../engine/testing.ts';
import { Story } from '../../testing.ts';
import { ParsedRecords } from '../parsed-records.ts';
import { randomNamespace, silent } from '../testing.ts';
import type { KafkaFollowOptions } from './consumer.ts';
import { followPartitions } from './follow.ts';
import { startRelay } from './relay.ts';

const PARTITIONS = 4;

describe('while Kafka is unavailable', () => {
  let own: OwnServices;
  let log: MemoryLog;
  let story: Story;
  let sink: MemorySink;
  let open: { stop(): Promise<void> }[];
  let replaced: string[];
  let onReplaced: () => void;

  const begin = (over: Partial<KafkaFollowOptions> = {}) => {
    const common = {
      ...{ log, url: own.urls.kafka, namespace: randomNamespace(), partitions: PARTITIONS, logger: silent },
      clock: systemClock,
      onFailure: (failure: unknown) => {
        throw failure;
      },
    };
    const relay = startRelay({ ...common, checkpoints: new MemoryCheckpoints() });
    const following = followPartitions({
      ...common,
      ...{ group: 'timelines-g1', sink, parsed: new ParsedRecords() },
      onReplaced: (reason) => {
        replaced.push(reason);
        onReplaced();
      },
      ...over,
    });
    open.push(relay, following);
    return { relay, following };
  };
  const post = (count: number) => {
    for (let n = 0; n < count; n += 1) story.post(String(100 + (n % 23)), '1');
  };
  const expectAll = () => expect(byStream(sink.events)).toEqual(byStream(log.all));
  const untilReplaced = (enough: () => boolean) =>
    new Promise<void>((resolve) => {
      onReplaced = () => {
        if (enough()) resolve();
      };
      onReplaced();
    });

  beforeAll(async () => {
    own = await privateServices();
  });
  afterAll(() => own.destroy());
  beforeEach(async () => {
    await own.start('kafka');
    log = new MemoryLog();
    story = new Story(log);
    sink = new MemorySink(PARTITIONS);
    open = [];
    replaced = [];
    onReplaced = () => {};
  });
  afterEach(async () => {
    await Promise.all(open.map((running) => running.stop()));
  });

  it('consumers give up and are replaced until it is back, however long that takes', async () => {
    const { following } = begin({ stuckMs: 2000 });
    post(100);
    await sink.until(100);
    await own.kill('kafka');
    const before = replaced.length;
    post(100);
    await untilReplaced(() => replaced.length >= before + 2);
    expect(following.unconfirmedMs()).toBeGreaterThan(500);
    await own.start('kafka');
    await sink.until(200);
    expectAll();
    await expect.poll(() => following.unconfirmedMs()).toBeLessThan(2000);
  });

  it('a consumer that shows no sign of life is replaced', async () => {
    begin({ stuckMs: 1500 });
    post(100);
    await sink.until(100);
    const kafka = (await own.status()).find(({ name }) => name === 'kafka');
    process.kill(kafka!.pid!, 'SIGSTOP');
    try {
      post(100);
      await untilReplaced(() => replaced.some((reason) => /no sign of life for 1500 ms/.test(reason)));
    } finally {
      process.kill(kafka!.pid!, 'SIGCONT');
    }
    await sink.until(200);
    expectAll();
  });

  it('the relay and followers wait for it to start, and stop within seconds if it does not', async () => {
    await own.kill('kafka');
    post(100);
    const { relay, following } = begin();
    await own.start('kafka');
    await sink.until(100);
    await own.kill('kafka');
    post(100);
    const began = performance.now();
    await Promise.all([relay.stop(), following.stop()]);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(relay.position).toBe(100);
  });
});
