import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../log/memory.ts';
import { systemClock } from '../../schemas/clock.ts';
import { type ParleyEvent, UnreadableEvent } from '../../schemas/events/catalogue.ts';
import { retrying, Stopped } from '../../stores/guard.ts';
import { PartitionApplier } from '../engine/applying.ts';
import { type DeadLetters, type NewLetter, PoisonedStreams } from '../engine/dead-letters/port.ts';
import { partitionOf } from '../engine/partitions.ts';
import { byStream, MemorySink, memoryDeadLetters } from '../engine/testing.ts';
import { Story } from '../testing.ts';
import { LogPages } from './log-pages.ts';
import { silent } from './testing.ts';
import { type Delivered, PartitionWorker } from './worker.ts';

const PARTITION = 1;
const PARTITIONS = 2;
const PROJECTION = 'timelines-g1';

let log: MemoryLog;
let story: Story;
let sink: MemorySink;
let letters: DeadLetters;
let published: NewLetter[];
let poisoned: PoisonedStreams;
let applying: PartitionApplier;
let sources: { distribution: number; log: number };
let worker: PartitionWorker;
let failures: unknown[];

/** Channels whose streams belong to the partition. */
const CHANNELS = Array.from({ length: 40 }, (_, n) => String(100 + n)).filter(
  (id) => partitionOf(`channel-${id}`, PARTITIONS) === PARTITION,
);
const post = (count: number, channels = CHANNELS) => {
  for (let n = 0; n < count; n += 1) story.post(channels[n % channels.length]!, '1');
};
const ours = (after = 0): readonly ParleyEvent[] =>
  log.all.slice(after).filter(({ stream }) => partitionOf(stream, PARTITIONS) === PARTITION);
const records = (from: number, through: number): Delivered[] => {
  const events = ours(from).filter(({ position }) => position <= through);
  const tick = { from, through, count: events.length, epoch: log.epoch };
  return [...events.map((event) => ({ event, next: '0' })), { tick, next: String(through) }];
};
const begin = (position = 0): PartitionWorker => {
  worker = new PartitionWorker({
    partition: PARTITION,
    partitions: PARTITIONS,
    epoch: log.epoch,
    position,
    pages: new LogPages(log),
    apply: (batch, signal) => applying.apply(batch, signal),
    leaveOut: (failure, signal) => applying.leaveOut(failure, signal),
    read: (work, signal) => retrying(work, { clock: systemClock, signal, again: () => true, onRetry: () => {} }),
    onThrough: ({ events, source }) => {
      sources[source] += events;
    },
    onFailure: (failure) => failures.push(failure),
  });
  return worker;
};
const stored = (through: number) => sink.when(() => sink.positions[PARTITION]! >= through);

beforeEach(() => {
  log = new MemoryLog();
  story = new Story(log);
  sink = new MemorySink(PARTITIONS);
  letters = memoryDeadLetters();
  published = [];
  poisoned = new PoisonedStreams({
    letters,
    projection: PROJECTION,
    publish: async (letter) => void published.push(letter),
  });
  applying = new PartitionApplier({ sink, log, logger: silent, poisoned, clock: systemClock });
  sources = { distribution: 0, log: 0 };
  failures = [];
});
afterEach(async () => {
  await worker.stop();
  expect(failures).toEqual([]);
});

describe('a partition', () => {
  it('advances batch by batch, and merges batches that are waiting', async () => {
    post(50);
    begin();
    worker.push([...records(0, 10), ...records(10, 30), ...records(30, 40)]);
    await stored(40);
    worker.push(records(40, 50));
    await stored(50);
    expect(sink.events).toEqual(ours());
    expect(sink.batches.map(({ from, through }) => [from, through])).toEqual([
      [0, 40],
      [40, 50],
    ]);
    await worker.stop();
    expect(sources).toEqual({ distribution: 50, log: 0 });
    expect([worker.position, worker.offset]).toEqual([50, '50']);
  });

  it('has no room while megabytes of events wait, and follows large events through the log as well', async () => {
    for (let n = 0; n < 200; n += 1) story.post(CHANNELS[n % 3]!, '1', { nonce: '😀'.repeat(16_384) });
    begin();
    worker.push(records(0, 100));
    expect(worker.hasRoom).toBe(true);
    worker.push(records(100, 150));
    expect(worker.hasRoom).toBe(false);
    await worker.room();
    worker.push([{ tick: { from: 150, through: 200, count: 50, epoch: log.epoch }, next: '200' }]);
    await stored(200);
    expect(sink.events).toEqual(ours());
    await worker.stop();
    expect(sources).toEqual({ distribution: 150, log: 50 });
  });

  it('gives a store that keeps nothing everything but the event that cannot be read', async () => {
    post(60);
    const bad = ours()[20]!;
    Object.assign(bad, { type: 'of-a-newer-parley' });
    const passedOver: number[] = [];
    sink.passOver = ({ event }) => void passedOver.push(event.position);
    applying = new PartitionApplier({ sink, log, logger: silent, poisoned: undefined, clock: systemClock });
    begin();
    worker.push(records(0, 60).filter(({ event }) => event !== bad));
    await stored(60);
    expect(sink.events).toEqual(ours().filter((event) => event !== bad));
    expect(passedOver).toEqual([bad.position]);
  });

  it('goes on beyond an event that the log itself cannot give', async () => {
    post(60);
    const bad = ours()[20]!;
    const { rawAll } = log;
    log.rawAll = async (query) => {
      const page = await rawAll.call(log, query);
      if (page.events.some(({ position }) => position === bad.position))
        throw new UnreadableEvent(bad, 'not written by Parley');
      return page;
    };
    begin();
    worker.push(records(0, 60).filter(({ event }) => event !== bad));
    await stored(60);
    expect(await letters.list()).toMatchObject([{ stream: bad.stream, sequence: bad.sequence }]);
  });

  it('leaves out the stream of an event that cannot be read, and gives the store all others', async () => {
    post(60);
    const bad = ours()[20]!;
    Object.assign(bad, { type: 'of-a-newer-parley' });
    begin();
    // Its record could not be read either, so the tick does not add up and the log is read.
    worker.push(records(0, 60).filter(({ event }) => event !== bad));
    await stored(60);
    const followed = ours().filter(({ stream, sequence }) => stream !== bad.stream || sequence < bad.sequence);
    expect(sink.events).toEqual(followed);
    expect(followed.length).toBeLessThan(59);
    expect(await letters.list()).toMatchObject([
      { stream: bad.stream, sequence: bad.sequence, position: bad.position },
    ]);
    expect(published).toHaveLength(1);

    await letters.requestRetry({});
    const [letter] = await letters.requested(PROJECTION);
    await worker.visit((position, signal) => applying.retry(letter!, position, signal));
    expect(await letters.list()).toMatchObject([{ position: bad.position, retry: false }]);
    Object.assign(bad, { type: 'message-posted' });
    await worker.visit((position, signal) => applying.retry(letter!, position, signal));
    expect(await letters.list()).toEqual([]);
    expect([...sink.events].sort((a, b) => a.position - b.position)).toEqual(ours());
  });

  it('stops before an event that cannot be read where no stream may be left out', async () => {
    post(60);
    const bad = ours()[20]!;
    Object.assign(bad, { type: 'of-a-newer-parley' });
    applying = new PartitionApplier({ sink, log, logger: silent, poisoned: undefined, clock: systemClock });
    begin();
    worker.push(records(0, 60).filter(({ event }) => event !== bad));
    await stored(bad.position - 1);
    expect(sink.events).toEqual(ours().slice(0, 20));
  });

  it('passes on idle ticks, so that the store saves the checkpoint it has in memory', async () => {
    post(10);
    begin();
    worker.push(records(0, 10));
    await stored(10);
    worker.push([{ tick: { from: 10, through: 10, count: 0, epoch: log.epoch }, next: '11' }]);
    await sink.when(() => sink.batches.length === 2);
    expect(sink.batches[1]).toMatchObject({ partition: PARTITION, from: 10, events: [], through: 10 });
    await worker.stop();
    expect([worker.position, worker.offset]).toEqual([10, '11']);
  });

  it('reads lost events from the log, without those of other partitions', async () => {
    post(20, ['100', '101', '102', '103']);
    begin();
    worker.push(records(0, 5));
    worker.push(records(10, 20));
    await stored(20);
    await worker.stop();
    expect(sink.events).toEqual(ours());
    expect(sources.distribution).toBe(ours().filter(({ position }) => position <= 5).length);
  });

  it('reads a long log in pieces', async () => {
    post(5000, ['100', '101', '102', '103']);
    begin();
    worker.push([{ tick: { from: 5000, through: 5000, count: 0, epoch: log.epoch }, next: '1' }]);
    await stored(5000);
    expect(sink.events).toEqual(ours());
    expect(sink.batches.length).toBeGreaterThan(1);
  });

  it('continues from the store’s checkpoint, whether it is ahead or behind', async () => {
    post(30);
    begin();
    worker.push(records(0, 10));
    await stored(10);
    sink.positions[PARTITION] = 15;
    sink.events.push(...ours(10).slice(0, 5));
    worker.push(records(10, 20));
    await stored(20);
    expect(sink.events).toEqual(ours().slice(0, 20));
    sink.empty();
    worker.push(records(20, 30));
    await stored(30);
    expect(sink.events).toEqual(ours());
  });

  it('ignores ticks of another log, and does not run ahead of its own', async () => {
    post(10);
    begin();
    const foreign = { from: 0, through: 90, count: 0, epoch: 'another' };
    worker.push([...records(0, 5), { tick: foreign, next: '9' }]);
    await stored(10);
    post(10);
    worker.push(records(10, 20));
    await stored(20);
    expect(sink.events).toEqual(ours());
  });

  it('waits for an unavailable store, and can be stopped while waiting', async () => {
    post(20);
    let refusals = 3;
    sink.fails = () => (refusals-- > 0 ? new Error('gone') : undefined);
    begin();
    worker.push(records(0, 10));
    await stored(10);
    sink.fails = () => new Error('gone');
    worker.push(records(10, 20));
    await worker.stop();
    expect(worker.position).toBe(10);
    await expect(worker.visit(async () => {})).rejects.toThrow(Stopped);
  });
});

describe('an event that the store refuses', () => {
  const [bad, good] = CHANNELS as [string, string];
  const refuse = (...positions: number[]) => {
    sink.kind = 'permanent';
    sink.fails = ({ events }) =>
      events.some(({ position }) => positions.includes(position)) ? new Error('it does not fit') : undefined;
  };

  it('becomes a dead letter; its stream is skipped from there on, other streams and the checkpoint go on', async () => {
    post(10, [bad, good]);
    refuse(5);
    begin();
    worker.push(records(0, 10));
    await stored(10);
    const letter = { projection: PROJECTION, stream: `channel-${bad}`, sequence: 3, position: 5, attempts: 4 };
    expect(published).toEqual([{ ...letter, error: 'it does not fit' }]);
    expect(await letters.list()).toMatchObject([letter]);
    post(4, [bad, good]);
    worker.push(records(10, 14));
    await stored(14);
    const seen = byStream(sink.events);
    expect(seen.get(`channel-${bad}`)).toEqual([1, 2]);
    expect(seen.get(`channel-${good}`)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(sink.positions[PARTITION]).toBe(14);
  });

  it('is skipped by the next follower too, which still applies what came before it', async () => {
    post(10, [bad, good]);
    await letters.record({
      ...{ projection: PROJECTION, stream: `channel-${bad}`, sequence: 3, position: 5 },
      ...{ error: 'it does not fit', attempts: 4 },
    });
    await poisoned.load();
    begin();
    worker.push(records(0, 10));
    await stored(10);
    expect(byStream(sink.events).get(`channel-${bad}`)).toEqual([1, 2]);
  });

  it('is applied with the events skipped after it when it is retried', async () => {
    post(10, [bad, good]);
    refuse(5);
    begin();
    worker.push(records(0, 10));
    await stored(10);
    sink.fails = () => undefined;
    await letters.requestRetry({});
    const [letter] = await poisoned.requested();
    await worker.visit((position, signal) => applying.retry(letter!, position, signal));
    expect(await letters.list()).toEqual([]);
    post(2, [bad, good]);
    worker.push(records(10, 12));
    await stored(12);
    expect(byStream(sink.events).get(`channel-${bad}`)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('moves its letter to where a retry fails', async () => {
    post(10, [bad, good]);
    refuse(5);
    begin();
    worker.push(records(0, 10));
    await stored(10);
    refuse(9);
    await letters.requestRetry({});
    const [letter] = await poisoned.requested();
    await worker.visit((position, signal) => applying.retry(letter!, position, signal));
    expect(await letters.list()).toMatchObject([{ sequence: 5, position: 9, retry: false }]);
    expect(byStream(sink.events).get(`channel-${bad}`)).toEqual([1, 2, 3, 4]);
  });

  it('waits with its retry while the store is unavailable', async () => {
    post(10, [bad, good]);
    refuse(5);
    begin();
    worker.push(records(0, 10));
    await stored(10);
    sink.kind = 'transient';
    sink.fails = () => new Error('gone');
    await letters.requestRetry({});
    const [letter] = await poisoned.requested();
    const retried = worker.visit((position, signal) => applying.retry(letter!, position, signal));
    await expect(retried).rejects.toThrow('gone');
    expect(await poisoned.requested()).toEqual([letter]);
  });
});
