import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemoryLog } from '../../log/memory.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { partitionOf } from '../engine/partitions.ts';
import { Story } from '../testing.ts';
import { joined, type Range, Reassembly } from './reassembly.ts';
import { type PartitionRecord, parseEvent, parseTick, recordsOf, tickedThrough } from './records.ts';

const story = new Story();
const event = (): ParleyEvent => story.post('100', '1');
const [one, two, three, four] = [event(), event(), event(), event()] as [
  ParleyEvent,
  ParleyEvent,
  ParleyEvent,
  ParleyEvent,
];
const epoch = 'first';

describe('a follower', () => {
  it('holds a bounded number of bytes where ticks are lost, and then has the log read', () => {
    const follower = new Reassembly(0, epoch);
    const nonce = 'x'.repeat(100_000);
    for (let position = 1; position <= 1000; position += 1) {
      follower.event({ ...one, position, data: { ...one.data, nonce } } as ParleyEvent);
      expect(follower.waitingBytes).toBeLessThan(BUDGETS.unvouched.bytes + 2 * nonce.length);
    }
    for (let position = 1001; position <= 10_000; position += 1) follower.event({ ...one, position });
    expect(follower.tick({ from: 0, through: 10_000, count: 10_000, epoch })).toEqual({
      ...{ from: 0, through: 10_000, events: undefined },
    });
    expect(follower.waitingBytes).toBe(0);
  });

  it('releases events once their tick vouches for them', () => {
    const follower = new Reassembly(0, epoch);
    follower.event(one);
    follower.event(two);
    expect(follower.tick({ from: 0, through: 2, count: 2, epoch })).toEqual({
      from: 0,
      through: 2,
      events: [one, two],
    });
    follower.event(three);
    expect(follower.tick({ from: 2, through: 9, count: 1, epoch })).toEqual({ from: 2, through: 9, events: [three] });
    expect(follower.position).toBe(9);
  });

  it('drops events it already holds, and ticks that say nothing new', () => {
    const follower = new Reassembly(2, epoch);
    follower.event(one);
    follower.event(two);
    expect(follower.tick({ from: 0, through: 2, count: 2, epoch })).toBeUndefined();
    follower.event(three);
    follower.event(three);
    expect(follower.tick({ from: 2, through: 3, count: 1, epoch })).toEqual({ from: 2, through: 3, events: [three] });
  });

  it.each([
    ['an event is missing', { from: 0, through: 2, count: 2 }],
    ['the ticks before are missing', { from: 1, through: 2, count: 1 }],
    ['it begins in the middle of a tick', { from: -1, through: 2, count: 1 }],
    ['it is the tick of another log', { from: 0, through: 2, count: 1, epoch: 'other' }],
  ])('wants the range from the log when %s', (_, tick) => {
    const follower = new Reassembly(0, epoch);
    follower.event(two);
    expect(follower.tick({ epoch, ...tick })).toEqual({ from: 0, through: 2, events: undefined });
  });

  it('keeps events beyond a tick for the next tick', () => {
    const follower = new Reassembly(0, epoch);
    for (const some of [one, three, two]) follower.event(some);
    expect(follower.tick({ from: 0, through: 1, count: 1, epoch })?.events).toEqual([one]);
    expect(follower.tick({ from: 1, through: 3, count: 2, epoch })?.events).toEqual([two, three]);
  });

  it('continues from its new position after it was moved forwards or back', () => {
    const follower = new Reassembly(0, epoch);
    for (const some of [one, two, three]) follower.event(some);
    follower.moveTo(2);
    expect(follower.tick({ from: 2, through: 3, count: 1, epoch })?.events).toEqual([three]);
    follower.moveTo(1);
    follower.event(four);
    expect(follower.tick({ from: 3, through: 4, count: 1, epoch })).toEqual({ from: 1, through: 4, events: undefined });
  });
});

describe('adjacent ranges', () => {
  it('are merged up to the size limit, and never across a gap', () => {
    const ranges: Range[] = [
      { from: 0, through: 1, events: [one] },
      { from: 1, through: 2, events: [two] },
      { from: 2, through: 3, events: [three] },
      { from: 3, through: 5, events: undefined },
      { from: 5, through: 8, events: undefined },
      { from: 8, through: 9, events: [] },
      { from: 9, through: 10, events: [] },
    ];
    expect(joined(ranges, 2)).toEqual([
      { from: 0, through: 2, events: [one, two] },
      { from: 2, through: 3, events: [three] },
      { from: 3, through: 8, events: undefined },
      { from: 8, through: 10, events: [] },
    ]);
    expect(ranges[0]!.events).toEqual([one]);
  });
});

/** Several relays write one partition, each from its own position and with its own page size; some records are lost. */
const PARTITIONS = 2;
const logOf = (streams: readonly number[]): MemoryLog => {
  const made = new Story();
  for (const stream of streams) made.post(String(100 + stream), '1');
  return made.log;
};
const relayed = (log: MemoryLog, from: number, cuts: readonly number[]) => {
  const records: PartitionRecord[] = [];
  let ticked = tickedThrough(from, PARTITIONS);
  const ends = [...new Set(cuts.map((cut) => from + (cut % (log.all.length - from + 1))))].sort((a, b) => a - b);
  let at = from;
  for (const through of [...ends, log.all.length]) {
    const events = log.all.slice(at, through).map((some) => ({ ...some, data: JSON.stringify(some.data) }));
    const made = recordsOf({ events, through }, { from: at, ticked, toAll: through % 2 === 0 }, log.epoch);
    records.push(...made.records);
    ticked = made.ticked;
    at = through;
  }
  return records.filter(({ partition }) => partition === 0);
};

describe('whatever is lost, repeated or duplicated', () => {
  const relays = fc.record({ from: fc.nat(), cuts: fc.array(fc.nat(), { maxLength: 6 }) });
  const everything = fc.record({
    streams: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 40 }),
    start: fc.nat(),
    relays: fc.array(relays, { minLength: 1, maxLength: 4 }),
    /** Which relay writes next, and whether its write is lost. */
    order: fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 200 }),
    most: fc.integer({ min: 1, max: 10 }),
  });

  it('a partition arrives once and in order', () => {
    fc.assert(
      fc.property(everything, ({ streams, start, relays: some, order, most }) => {
        const log = logOf(streams);
        const began = start % (log.all.length + 1);
        const follower = new Reassembly(began, log.epoch);
        const lines = some.map(({ from, cuts }) => relayed(log, from % (log.all.length + 1), cuts));
        const ranges: Range[] = [];
        const take = ({ key, value }: { key: string | null; value: string }) => {
          if (key !== null) follower.event(parseEvent(value));
          else ranges.push(...[follower.tick(parseTick(value)) ?? []].flat());
        };
        for (const [who, lost] of order) {
          const record = lines[who % lines.length]!.shift();
          if (record !== undefined && !lost) take(record);
        }
        const end = log.all.length;
        take({ key: null, value: JSON.stringify({ from: end, through: end, count: 0, epoch: log.epoch }) });
        const partition = (from: number, through: number) =>
          log.all.slice(from, through).filter(({ stream }) => partitionOf(stream, PARTITIONS) === 0);
        const result = joined(ranges, most).flatMap(({ from, through, events }) => events ?? partition(from, through));
        expect(result).toEqual(partition(began, end));
        expect(follower.position).toBe(end);
      }),
      { numRuns: 500 },
    );
  });
});
