import fc from 'fast-check';
import { expect, it } from 'vitest';
import { roundsOf } from './relay.ts';

const record = fc.record({
  partition: fc.integer({ min: 0, max: 3 }),
  key: fc.option(fc.constantFrom('channel-1', 'guild-2')),
  value: fc.string({ maxLength: 300, unit: 'grapheme' }),
});
const MOST = 1000;

it('what a round sends to one partition fits into one batch, and everything is sent in order', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 60 }), (records) => {
      const rounds = roundsOf(records, MOST);
      expect(rounds.flat()).toEqual(records);
      for (const round of rounds)
        for (const partition of [0, 1, 2, 3]) {
          const own = round.filter((one) => one.partition === partition);
          const bytes = own.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0);
          expect(own.length < 2 || bytes < MOST).toBe(true);
        }
    }),
  );
});

it('a page that fits is a single round', () => {
  const records = Array.from({ length: 1000 }, (_, n) => ({
    partition: n % 8,
    key: 'channel-1',
    value: 'x'.repeat(500),
  }));
  expect(roundsOf(records)).toEqual([records]);
});
