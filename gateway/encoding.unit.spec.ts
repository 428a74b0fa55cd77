import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
// @ts-expect-error The types omit an export that `ws` has for such uses.
import { Receiver } from 'ws';
import { dispatchFrame, withSequence } from './encoding.ts';
import { encodeInto, payloadOf, textFrame, wireLength } from './frame-bytes.ts';

/** Decodes the bytes as a WebSocket client does. */
const received = (frame: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const receiver = new Receiver({ isServer: false });
    receiver.on('message', (data: Buffer, isBinary: boolean) => (isBinary ? reject(data) : resolve(data.toString())));
    receiver.on('error', reject);
    receiver.write(frame);
  });

describe('a frame', () => {
  it.each([0, 1, 125, 126, 65_535, 65_536, 100_000])('of %i bytes can be read by ws', async (length) => {
    const payload = 'x'.repeat(length);
    expect(await received(textFrame(payload))).toBe(payload);
    expect(payloadOf(textFrame(payload))).toBe(payload);
  });

  it.each([0, 125, 126, 65_535, 65_536])('of %i bytes is the same when it is encoded among others', (length) => {
    const payload = 'x'.repeat(length);
    const [whole, before] = [textFrame(payload), textFrame('before')];
    expect(wireLength(payload)).toBe(whole.length);
    const bytes = Buffer.alloc(before.length + whole.length);
    expect(encodeInto(bytes, encodeInto(bytes, 0, before), payload)).toBe(bytes.length);
    expect(bytes.equals(Buffer.concat([before, whole]))).toBe(true);
  });

  it('carries any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        const json = JSON.stringify(text);
        expect(JSON.parse(await received(textFrame(json)))).toBe(text);
      }),
    );
  });

  it('of a dispatch can get another s', () => {
    const frame = dispatchFrame('MESSAGE_ACK', 123, '{"s":123}');
    expect(JSON.parse(payloadOf(frame))).toEqual({ op: 0, s: 123, t: 'MESSAGE_ACK', d: { s: 123 } });
    expect(JSON.parse(payloadOf(withSequence(frame, 7)))).toEqual({ op: 0, s: 7, t: 'MESSAGE_ACK', d: { s: 123 } });
  });
});
