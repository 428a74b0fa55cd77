import { describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../../../schemas/events/catalogue.ts';
import { Story } from '../../../testing.ts';
import { timelineChanges } from '../view.ts';
import { tablesOf } from './tables.ts';
import { CassandraTimelineWriter, chunksOf, packsOf, Statements } from './writer.ts';

const statements = new Statements(tablesOf(1), 50);
const chunked = (events: readonly ParleyEvent[]) =>
  chunksOf(
    timelineChanges(events).filter((change) => change.kind !== 'through'),
    statements,
  ).flat();
/** Every statement on a row names its partition by these two parameters, side by side. */
const partitionsIn = (chunk: ReturnType<typeof chunked>[number]) =>
  new Set(
    chunk.map(({ params }) => {
      const bucket = params.findIndex((param) => typeof param === 'number');
      return `${params[bucket - 1]}/${params[bucket]}`;
    }),
  );

describe('requests', () => {
  it('hold one partition each, and stay within the size that the store handles well', () => {
    const story = new Story();
    for (let n = 0; n < 200; n += 1) for (const channel of ['30', '31']) story.post(channel, '10');
    const chunks = chunked(story.log.all);
    expect(chunks.every((chunk) => partitionsIn(chunk).size === 1)).toBe(true);
    expect(chunks.every((chunk) => chunk.length <= 64)).toBe(true);
    expect(chunks.flat()).toHaveLength(400);
    expect(chunks).toHaveLength(8);
  });

  it('keep all changes of a message together, in order', () => {
    const story = new Story();
    for (let n = 0; n < 50; n += 1) story.post('30', '10');
    for (let n = 0; n < 100; n += 1) story.react('30', 1 + (n % 2), String(100 + n), '👍');
    story.remove('30', 1, '10');
    const chunks = chunked(story.log.all);
    expect(chunks).toHaveLength(1);
    const sequences = chunks[0]!.map(({ query, params }) => (query.startsWith('INSERT') ? params.at(-1) : params[0]));
    expect(sequences).toEqual([...sequences].sort((a, b) => Number(a) - Number(b)));
  });

  it('for other rows hold ten at a time', () => {
    const rows = Array.from({ length: 23 }, (_, n) => ({ query: 'so', params: [n] }));
    expect(packsOf(rows).map((pack) => pack.length)).toEqual([10, 10, 3]);
    expect(packsOf([])).toEqual([]);
  });

  it('follow one another in a channel, so that no page has a hole; those of other channels do not wait', async () => {
    const story = new Story();
    for (let n = 0; n < 100; n += 1) for (const channel of ['30', '31']) story.post(channel, '10');
    const sent: { readonly channel: bigint; readonly ordinals: readonly bigint[]; readonly store: () => void }[] = [];
    const writer = new CassandraTimelineWriter(
      {
        execute: async () => [],
        batch: async (chunk) => {
          if (chunk[0]!.query.includes('first_id')) return;
          await new Promise<void>((store) => {
            sent.push({
              channel: chunk[0]!.params[0] as bigint,
              ordinals: chunk.map(({ params }) => params[3] as bigint),
              store,
            });
          });
        },
      },
      tablesOf(1),
      1000,
    );
    const applied = writer.apply(timelineChanges(story.log.all).filter(({ kind }) => kind !== 'through'));
    await expect.poll(() => sent.map(({ channel }) => channel)).toEqual([30n, 31n]);
    sent[1]!.store();
    await expect.poll(() => sent.map(({ channel }) => channel)).toEqual([30n, 31n, 31n]);
    sent[2]!.store();
    sent[0]!.store();
    await expect.poll(() => sent.map(({ channel }) => channel)).toEqual([30n, 31n, 31n, 30n]);
    sent[3]!.store();
    await applied;
    const ofChannel = sent.filter(({ channel }) => channel === 30n).flatMap(({ ordinals }) => ordinals);
    expect(ofChannel).toEqual(Array.from({ length: 100 }, (_, index) => BigInt(index + 1)));
  });
});
