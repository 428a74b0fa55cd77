import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batches, BatchWriter } from './batch.ts';

/** An entry with a number and a blob. */
interface Entry {
  readonly kind: number;
  readonly id: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

const aNumber = fc.integer({ min: 0, max: 0xffff_ffff });
/** Of one socket after another, far beyond those of four bytes. */
const anId = fc.oneof(aNumber, fc.constantFrom(2 ** 32, 2 ** 48 - 1), fc.integer({ min: 0, max: 2 ** 48 - 1 }));
const anEntry: fc.Arbitrary<Entry> = fc.record({
  kind: fc.integer({ min: 1, max: 255 }),
  id: anId,
  value: aNumber,
  bytes: fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constant(new Uint8Array(70_000).fill(7))),
});

describe('batches', () => {
  it('arrive whole and in order, however the stream cuts them', () => {
    const batchesOfEntries = fc.array(fc.array(anEntry, { minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(batchesOfEntries, fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1 }), (sent, cuts) => {
        const stream = new PassThrough({ highWaterMark: 1 });
        const writer = new BatchWriter();
        for (const entries of sent) {
          for (const { kind, id, value, bytes } of entries) {
            writer.entry(kind, id);
            writer.number(value);
            writer.blob(Buffer.from(bytes));
          }
          writer.send(stream);
          expect(writer.isEmpty).toBe(true);
        }
        const pieces: Buffer[] = [];
        for (let piece = stream.read(); piece !== null; piece = stream.read()) pieces.push(piece as Buffer);
        const all = Buffer.concat(pieces);
        const received: string[][] = [];
        const batches = new Batches((batch) => {
          const entries: string[] = [];
          while (!batch.isAtEnd) {
            const head = [batch.kind(), batch.id(), batch.number()];
            entries.push(`${head} ${batch.blob().toString('hex')}`);
          }
          received.push(entries);
        });
        for (let at = 0, n = 0; at < all.length; n += 1) {
          const cut = cuts[n % cuts.length]!;
          batches.add(all.subarray(at, at + cut));
          at += cut;
        }
        const expected = sent.map((entries) =>
          entries.map(({ kind, id, value, bytes }) => `${[kind, id, value]} ${Buffer.from(bytes).toString('hex')}`),
        );
        // Compared as one value: a difference of 70,000 bytes takes long to show.
        expect(JSON.stringify(received) === JSON.stringify(expected)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
