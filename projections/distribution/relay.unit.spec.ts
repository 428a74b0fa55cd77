import { describe, expect, it } from 'vitest';
import { MemoryCheckpoints } from '../../coordination/memory.ts';
import { MemoryLog } from '../../log/memory.ts';
import type { ReadAll } from '../../log/port.ts';
import { passingOn, TestClock } from '../../schemas/clock.testing.ts';
import { UnreadableEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { partitionOf } from '../engine/partitions.ts';
import { Story } from '../testing.ts';
import { Reassembly } from './reassembly.ts';
import { type PartitionRecord, parseEvent, parseTick } from './records.ts';
import { RunningRelay } from './relay.ts';

const clock = new TestClock();
const { until } = passingOn(clock, 10);

class TooLarge extends Error {}

/** A relay that takes no record of more bytes than `most`, and no more than `most` at once. */
const relayTo = (log: MemoryLog, most = Number.POSITIVE_INFINITY, partitions = 1) => {
  const checkpoints = new MemoryCheckpoints();
  const records: PartitionRecord[] = [];
  const sizes: number[] = [];
  const lines: object[] = [];
  const warnings: object[] = [];
  const relay = new RunningRelay({
    ...{ log, clock, partitions, checkpoints },
    logger: {
      debug: () => {},
      warn: (fields) => void warnings.push(fields),
      error: (fields) => void lines.push(fields),
    },
    send: async (given) => {
      if (given.some(({ value }) => Buffer.byteLength(value) > most)) throw new TooLarge('message larger than the max');
      records.push(...given);
      sizes.push(given.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0));
    },
    close: async () => {},
    isFinal: () => false,
    isRefused: (failure) => failure instanceof TooLarge,
    onFailure: (failure) => {
      throw failure;
    },
  });
  return { relay, records, sizes, lines, warnings, checkpoints };
};

describe('a relay', () => {
  it.each(['a', 'é', '中', '😀'])(
    'leaves out the one event that is too large (%s), and its followers notice',
    async (character) => {
      const log = new MemoryLog();
      const story = new Story(log);
      for (let n = 0; n < 50; n += 1) story.post('100', '1');
      const bytes = Buffer.byteLength(JSON.stringify(log.all[30]));
      Object.assign(log.all[30]!, { data: { ...log.all[30]!.data, extra: character.repeat(2000) } });
      const { relay, records, lines } = relayTo(log, bytes + 1000 * Buffer.byteLength(character));
      await until(() => relay.position === 50);
      await relay.stop();
      const events = records.filter(({ key }) => key !== null).map(({ value }) => parseEvent(value));
      expect(events.map(({ position }) => position)).toEqual(
        log.all.map(({ position }) => position).filter((position) => position !== 31),
      );
      expect(lines).toMatchObject([{ stream: 'channel-100' }]);
      const follower = new Reassembly(0, log.epoch);
      for (const event of events) follower.event(event);
      const tick = records.find(({ key }) => key === null)!;
      expect(follower.tick(parseTick(tick.value))).toEqual({ from: 0, through: 50, events: undefined });
    },
  );

  it.each(['a', 'é', '中', '😀'])('sends a few megabytes at a time when events are large (%s)', async (character) => {
    const log = new MemoryLog();
    const story = new Story(log);
    const text = character.repeat(32_768 / Buffer.byteLength(character));
    for (let n = 0; n < 400; n += 1) story.post('100', '1', { nonce: text });
    const { relay, records, sizes } = relayTo(log);
    await until(() => relay.position === 400);
    await relay.stop();
    expect(Math.max(...sizes)).toBeLessThan(2 * BUDGETS.log.readBytes);
    const follower = new Reassembly(0, log.epoch);
    const found: number[] = [];
    for (const { key, value } of records) {
      if (key !== null) follower.event(parseEvent(value));
      else for (const { position } of follower.tick(parseTick(value))?.events ?? []) found.push(position);
    }
    expect(found).toEqual(log.all.map(({ position }) => position));
  });

  it('copies everything before an event that the log cannot give, and stops there', async () => {
    const log = new MemoryLog();
    const story = new Story(log);
    for (let n = 0; n < 50; n += 1) story.post('100', '1');
    const rawAll = log.rawAll.bind(log);
    let damaged = true;
    log.rawAll = async (query: ReadAll) => {
      const page = await rawAll(query);
      const bad = page.events.find(({ position }) => damaged && position === 31);
      if (bad !== undefined) throw new UnreadableEvent(bad, 'not written by Parley');
      return page;
    };
    const { relay, records, warnings } = relayTo(log);
    await until(() => relay.position === 30 && warnings.length > 3);
    expect(relay.position).toBe(30);
    damaged = false;
    await until(() => relay.position === 50);
    await relay.stop();
    expect(records.filter(({ key }) => key !== null)).toHaveLength(50);
  });

  it('sends a lone event at once, and what comes within ten milliseconds after it together', async () => {
    const log = new MemoryLog();
    const story = new Story(log);
    const { relay, records } = relayTo(log);
    const relayed = () => records.filter(({ key }) => key !== null).length;
    await clock.advance(0);
    story.post('100', '1');
    await clock.advance(0);
    expect(relayed()).toBe(1);
    for (let n = 0; n < 5; n += 1) story.post('100', '1');
    await clock.advance(BUDGETS.relay.gatherMs - 1);
    expect(relayed()).toBe(1);
    await clock.advance(1);
    expect(relayed()).toBe(6);
    const ticks = records.filter(({ key }) => key === null).map(({ value }) => parseTick(value));
    expect(ticks.map(({ from, through, count }) => [from, through, count])).toEqual([
      [0, 1, 1],
      [1, 6, 5],
    ]);
    await relay.stop();
  });

  it('says in the partitions of a page that the others hold nothing of it, and tells each of them itself a little later', async () => {
    const log = new MemoryLog();
    const story = new Story(log);
    const { relay, records, checkpoints } = relayTo(log, Number.POSITIVE_INFINITY, 3);
    const ticks = () =>
      records
        .splice(0)
        .filter(({ key }) => key === null)
        .map(({ partition, value }) => ({ partition, ...parseTick(value) }));
    await clock.advance(0);
    story.post('100', '1');
    await clock.advance(0);
    const held = partitionOf('channel-100', 3);
    const others = [0, 1, 2].filter((partition) => partition !== held);
    const { epoch } = log;
    expect(ticks()).toEqual([
      { partition: held, from: 0, through: 1, count: 1, epoch, empty: { from: 0, through: 1, partitions: others } },
    ]);
    await clock.advance(100);
    story.post('100', '1');
    await clock.advance(0);
    expect(ticks()).toMatchObject([{ partition: held, from: 1, through: 2, empty: { from: 1, through: 2 } }]);
    await clock.advance(BUDGETS.relay.tickMs - 100);
    const all = [0, 1, 2].map((partition) => ({ partition, from: partition === held ? 2 : 0, through: 2 }));
    expect(ticks()).toMatchObject(all);
    story.post('100', '1');
    await clock.advance(BUDGETS.relay.gatherMs);
    expect(ticks()).toMatchObject([{ partition: held }]);
    await relay.stop();
    expect(ticks().map(({ partition, from, through }) => [partition, from, through])).toEqual(
      [0, 1, 2].map((partition) => [partition, partition === held ? 3 : 2, 3]),
    );
    expect(await checkpoints.read('relay')).toBe(3);
  });
});
