import { expect, it } from 'vitest';
import { MemoryLog } from '../../log/memory.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { Story } from '../testing.ts';
import { ParsedRecords, type RawRecord } from './parsed-records.ts';
import { recordsOf, tickedThrough } from './records.ts';

const GROUPS = 4;
const unexpected = (failure: unknown): never => {
  throw failure;
};

/** Five messages and their tick, in one partition. */
const someRecords = async (channelId = '100'): Promise<readonly RawRecord[]> => {
  const log = new MemoryLog();
  const story = new Story(log);
  for (let n = 0; n < 5; n += 1) story.post(channelId, '1');
  const page = await log.rawAll({ after: 0, limit: 100 });
  const from = { from: 0, ticked: tickedThrough(0, 1), toAll: true };
  return recordsOf(page, from, log.epoch).records.map(({ key, value }, offset) => ({
    offset: String(offset),
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(value),
  }));
};

const counting = () => {
  const counts = { parsed: 0, shared: 0 };
  const records = new ParsedRecords((how) => {
    counts[how] += 1;
  });
  return { counts, records };
};

it('four groups that read the same records parse each of them once, and get the same', async () => {
  const [{ counts, records }, raw] = [counting(), await someRecords()];
  const read = () => raw.map((record) => records.read(3, { ...record }, unexpected));
  const first = read();
  expect(first.map(({ next }) => next)).toEqual(raw.map((_, n) => String(n + 1)));
  expect(first.filter(({ event }) => event !== undefined)).toHaveLength(raw.length - 1);
  expect(first.at(-1)!.tick).toMatchObject({ from: 0, count: raw.length - 1 });
  for (let group = 1; group < GROUPS; group += 1)
    for (const [n, delivered] of read().entries()) expect(delivered).toBe(first[n]);
  expect(counts).toEqual({ parsed: raw.length, shared: (GROUPS - 1) * raw.length });
});

it('another record at the same offset is another one: of another partition, or of a topic made anew', async () => {
  const [{ counts, records }, raw, others] = [counting(), await someRecords(), await someRecords('200')];
  const [one, other] = [raw[0]!, others[0]!];
  expect(records.read(0, one, unexpected).event!.stream).toBe('channel-100');
  expect(records.read(1, other, unexpected).event!.stream).toBe('channel-200');
  expect(records.read(0, other, unexpected).event!.stream).toBe('channel-200');
  expect(counts).toEqual({ parsed: 3, shared: 0 });
});

it('every group is told of a record that cannot be read', () => {
  const { counts, records } = counting();
  const failures: unknown[] = [];
  for (let group = 0; group < GROUPS; group += 1) {
    const record = { offset: '7', key: Buffer.from('channel-1'), value: Buffer.from('{') };
    expect(records.read(0, record, (failure) => failures.push(failure))).toEqual({ next: '8' });
  }
  expect(failures).toHaveLength(GROUPS);
  expect(counts).toEqual({ parsed: GROUPS, shared: 0 });
});

it('keeps no more than its budget of bytes, the records read last', async () => {
  const [{ counts, records }, raw] = [counting(), await someRecords()];
  const value = Buffer.concat([raw[0]!.value!, Buffer.alloc(100_000, ' ')]);
  const most = Math.ceil(BUDGETS.parsedRecords.bytes / value.byteLength);
  const read = (n: number) => records.read(0, { ...raw[0]!, offset: String(n), value }, unexpected);
  for (let n = 0; n <= most; n += 1) read(n);
  read(most);
  expect(counts).toEqual({ parsed: most + 1, shared: 1 });
  read(0);
  expect(counts).toEqual({ parsed: most + 2, shared: 1 });
});
