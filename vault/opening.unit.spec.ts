import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTexts, type SealedText } from './opening.ts';
import { openText, sealText } from './sealing.ts';

const newKey = () => createSecretKey(randomBytes(32));
const key = newKey();

/** Enough that they are opened together, whatever else is with them. */
const OTHERS: readonly SealedText[] = Array.from({ length: 4 }, (_, i) => {
  const place = { stream: 'channel-1', eventId: `other-${i}` };
  return { place, sealed: sealText(key, { ...place, by: '1' }, `other ${i}`) };
});

const text = fc.string({ unit: 'grapheme', maxLength: 400 });

/** What Node's AES-GCM has sealed, some of it damaged, moved, under another key, or no box at all. */
const someText: fc.Arbitrary<SealedText> = fc
  .record({
    content: text,
    stream: fc.string({ unit: 'grapheme', maxLength: 60 }),
    eventId: fc.string({ maxLength: 40 }),
    by: fc.string({ maxLength: 20 }),
    change: fc.oneof(
      { weight: 3, arbitrary: fc.constant('none' as const) },
      fc.constantFrom('key' as const, 'stream' as const, 'author' as const),
      fc.record({ bit: fc.nat() }),
      fc.record({ box: fc.oneof(fc.string(), fc.base64String()) }),
      fc.record({ cut: fc.nat({ max: 60 }) }),
    ),
  })
  .map(({ content, stream, eventId, by, change }) => {
    const place = { stream, eventId };
    const sealed = sealText(change === 'key' ? newKey() : key, { ...place, by }, content);
    if (change === 'stream') return { place: { ...place, stream: `${stream}x` }, sealed };
    if (change === 'author') return { place, sealed: { ...sealed, by: `${by}x` } };
    if (typeof change === 'string') return { place, sealed };
    if ('box' in change) return { place, sealed: { by, box: change.box } };
    const bytes = Buffer.from(sealed.box, 'base64');
    if ('cut' in change) return { place, sealed: { by, box: bytes.subarray(change.cut).toString('base64') } };
    bytes[(change.bit >> 3) % bytes.length]! ^= 1 << (change.bit & 7);
    return { place, sealed: { by, box: bytes.toString('base64') } };
  });

describe('texts opened together', () => {
  it('are what each is opened alone through the AES-GCM of Node', () => {
    fc.assert(
      fc.property(fc.array(someText, { maxLength: 8 }), (some) => {
        const texts = [...some, ...OTHERS];
        expect(openTexts(key, texts)).toEqual(texts.map(({ place, sealed }) => openText(key, place, sealed)));
      }),
    );
  });

  it('are the original, of every length and of any number', () => {
    for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 64, 4_000]) {
      const original = '\u{1f44d}'.repeat(length).slice(0, length * 2);
      const place = { stream: 'channel-1', eventId: `event-${length}` };
      const one = { place, sealed: sealText(key, { ...place, by: '1' }, original) };
      for (const texts of [[one], [one, ...OTHERS]]) expect(openTexts(key, texts)[0]).toBe(original);
    }
    expect(openTexts(key, [])).toEqual([]);
  });

  it('do not open when any bit of any of them has changed, and the others do', () => {
    const { place, sealed } = OTHERS[0]!;
    const box = Buffer.from(sealed.box, 'base64');
    for (let bit = 0; bit < box.length * 8; bit += 1) {
      const changed = Buffer.from(box);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const texts = [{ place, sealed: { ...sealed, box: changed.toString('base64') } }, ...OTHERS];
      expect(openTexts(key, texts)).toEqual([undefined, 'other 0', 'other 1', 'other 2', 'other 3']);
    }
  });

  it('do not open when what was changed in one is changed back in another', () => {
    const boxes = OTHERS.map(({ sealed }) => Buffer.from(sealed.box, 'base64'));
    const tag = (of: number) => boxes[of]!.subarray(-16);
    const withBoxes = (changed: readonly Buffer[]) =>
      OTHERS.map(({ place, sealed }, i) => ({ place, sealed: { ...sealed, box: changed[i]!.toString('base64') } }));
    const changes: ((box: Buffer, i: number) => Buffer)[] = [
      (box, i) => (i < 2 ? Buffer.concat([box.subarray(0, -16), tag(1 - i)]) : box),
      (box, i) => (i < 2 ? Buffer.from(box.map((byte, at) => (at === box.length - 1 ? byte ^ 1 : byte))) : box),
      (_, i) => boxes[i < 2 ? 1 - i : i]!,
    ];
    for (const change of changes)
      expect(openTexts(key, withBoxes(boxes.map(change)))).toEqual([undefined, undefined, 'other 2', 'other 3']);
  });
});
