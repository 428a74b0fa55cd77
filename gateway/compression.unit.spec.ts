/** What a compressed socket is sent reads as what the others are sent. */

import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPRESSIONS, type Compression, compressionOf, Memories, openCompressor } from './compression.ts';
import { inflating, readingRawBlocks } from './decompressing.testing.ts';
import { payloadsOf, textFrame } from './frame-bytes.ts';

const { createZstdDecompress } = zlib as typeof zlib & { readonly createZstdDecompress?: () => Transform };

/** As a library reads zstd: each message as soon as it is there. */
const decompressing = (decoder: Transform) => {
  let text = '';
  decoder.on('data', (piece: Buffer) => {
    text += piece.toString('latin1');
  });
  return async (message: Buffer): Promise<string> => {
    text = '';
    await new Promise((resolve) => decoder.write(message, resolve));
    await new Promise((resolve) => setImmediate(resolve));
    return Buffer.from(text, 'latin1').toString();
  };
};

const readerOf = (kind: Compression): ((message: Buffer) => string | Promise<string>) => {
  if (kind === 'zlib-stream') return inflating();
  return createZstdDecompress === undefined ? readingRawBlocks() : decompressing(createZstdDecompress());
};

const isBinary = (frame: Buffer) => frame[0] === 0x82;

describe.each(COMPRESSIONS)('a stream of %s', (kind) => {
  it.each([
    ['with a memory', true],
    ['of stored blocks', false],
  ])('%s holds every message, each readable as soon as it is there', async (_, remembers) => {
    const texts = fc.array(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'x'.repeat(70_000), 'é'.repeat(150_000))),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 3 }), async (all, together) => {
        const compressor = openCompressor(kind, remembers);
        const read = readerOf(kind);
        for (let at = 0; at < all.length; at += together) {
          const some = all.slice(at, at + together).filter((text) => text !== '');
          const frames = compressor.frames(Buffer.concat(some.map(textFrame)));
          expect(some.length === 0 || isBinary(frames)).toBe(true);
          const messages = payloadsOf(frames);
          expect(messages).toHaveLength(some.length);
          for (const [n, message] of messages.entries()) {
            const text = await read(message);
            // Compared as one value: a difference of 150,000 characters takes long to show.
            expect(text === Buffer.from(some[n]!).toString()).toBe(true);
          }
        }
        compressor.close();
      }),
      { numRuns: 8 },
    );
  });

  it('that may not remember stores', () => {
    const remembers = kind === 'zlib-stream' || createZstdDecompress !== undefined;
    const frame = textFrame('{"op":11,"d":null}'.repeat(100));
    const size = (mayRemember: boolean): number => {
      const compressor = openCompressor(kind, mayRemember);
      const { length } = compressor.frames(frame);
      compressor.close();
      return length;
    };
    expect(size(true) < frame.length).toBe(remembers);
    expect(size(false)).toBeGreaterThan(frame.length);
  });
});

describe('the memories of a process', () => {
  it('are as many as it may have, until one is given back', () => {
    const memories = new Memories(1);
    expect([memories.take(), memories.take()]).toEqual([true, false]);
    memories.giveBack();
    expect([memories.take(), memories.take()]).toEqual([true, false]);
  });
});

describe('the compression asked for', () => {
  it('is none unless it is known', () => {
    expect(COMPRESSIONS.map(compressionOf)).toEqual(COMPRESSIONS);
    for (const other of [undefined, '', 'uncompressed', 'ZLIB-STREAM', ['zlib-stream', 'zlib-stream'], null])
      expect(compressionOf(other)).toBeUndefined();
  });
});
