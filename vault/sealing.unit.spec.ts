import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LongInteger } from '../schemas/json.ts';
import { fingerprint, openText, sealText } from './sealing.ts';

const PLACE = { stream: 'channel-1', eventId: 'event-1' };
const newKey = () => createSecretKey(randomBytes(32));
const key = newKey();

/** A sealed text with one bit of its box flipped. */
const tampered = (box: string, bit: number): string => {
  const bytes = Buffer.from(box, 'base64');
  const at = bit % (bytes.length * 8);
  bytes[at >> 3]! ^= 1 << (at & 7);
  return bytes.toString('base64');
};

describe('a sealed text', () => {
  it('opens to the original, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 3_000 }), (text) => {
        expect(openText(key, PLACE, sealText(key, { ...PLACE, by: '1' }, text))).toBe(text);
      }),
    );
  });

  it('names its author and reveals nothing of the text', () => {
    const sealed = sealText(key, { ...PLACE, by: '1' }, 'attack at dawn');
    expect(sealed.by).toBe('1');
    expect(Buffer.from(sealed.box, 'base64').toString('latin1')).not.toContain('attack');
  });

  it('differs each time, over many times', () => {
    const boxes = Array.from({ length: 5_000 }, () => sealText(key, { ...PLACE, by: '1' }, 'the same').box);
    expect(new Set(boxes).size).toBe(boxes.length);
  });

  it('does not open without its key, or with another', () => {
    const sealed = sealText(key, { ...PLACE, by: '1' }, 'hello');
    expect(openText(undefined, PLACE, sealed)).toBeUndefined();
    expect(openText(newKey(), PLACE, sealed)).toBeUndefined();
  });

  it('does not open in another stream, in another event, or under another author', () => {
    const sealed = sealText(key, { ...PLACE, by: '1' }, 'hello');
    expect(openText(key, { ...PLACE, stream: 'channel-2' }, sealed)).toBeUndefined();
    expect(openText(key, { ...PLACE, eventId: 'event-2' }, sealed)).toBeUndefined();
    expect(openText(key, PLACE, { ...sealed, by: '2' })).toBeUndefined();
  });

  it('does not open when any bit has changed', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, bit) => {
        const sealed = sealText(key, { ...PLACE, by: '1' }, text);
        expect(openText(key, PLACE, { ...sealed, box: tampered(sealed.box, bit) })).toBeUndefined();
      }),
    );
  });

  it('does not open when it is not a box at all', () => {
    fc.assert(
      fc.property(fc.string(), (box) => {
        expect(openText(key, PLACE, { by: '1', box })).toBeUndefined();
      }),
    );
  });
});

describe('a fingerprint', () => {
  const [ann, ben] = [newKey(), newKey()];

  /** As the first logs have them. */
  const inOrder = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(inOrder);
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.assign(Object.create(null), ...fields.map(([name, inner]) => ({ [name]: inOrder(inner) })));
  };
  const asStored = (value: unknown): string =>
    createHmac('sha256', ann)
      .update(`fingerprint\n${JSON.stringify(inOrder(value))}`)
      .digest('base64url')
      .slice(0, 11);

  it('is that of former versions: of the HMAC of its JSON, the fields in order', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'small', stringUnit: 'grapheme' }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        expect(fingerprint(ann, value)).toBe(asStored(value));
      }),
    );
    for (const value of [{ 10: 'a', 9: 'b' }, { id: new LongInteger('1097123456789012345') }, 'é'.repeat(5_000)])
      expect(fingerprint(ann, value)).toBe(asStored(value));
  });

  it('is the same for equal values in whatever order their fields stand, and differs for others and for other people', () => {
    const value = { a: 'x', b: [{ c: 1, d: null }], e: undefined };
    expect(fingerprint(ann, value)).toMatch(/^[\w-]{11}$/);
    expect(fingerprint(ann, { b: [{ d: null, c: 1 }], a: 'x' })).toBe(fingerprint(ann, value));
    for (const other of [{ ...value, a: 'y' }, { ...value, b: [] }, { ...value, b: [{ c: 1 }] }, { a: 'x' }, 'x', null])
      expect(fingerprint(ann, other)).not.toBe(fingerprint(ann, value));
    expect(fingerprint(ben, value)).not.toBe(fingerprint(ann, value));
  });
});
