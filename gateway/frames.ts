/** Gateway messages as bytes: complete WebSocket text frames that any number of sockets can be given unchanged. */
import { Op } from '../schemas/gateway/frames.ts';

/** FIN and opcode "text"; what a server sends is not masked (RFC 6455, 5.1). */
const FINAL_TEXT = 0x81;

const headerOf = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

/**
 * Writes a frame into `bytes` from `at` on.
 * @param length of the payload in UTF-8.
 * @returns where the frame ends.
 */
const writeFrame = (bytes: Buffer, at: number, payload: string, length: number): number => {
  const start = headerOf(length);
  bytes[at] = FINAL_TEXT;
  if (start === 2) bytes[at + 1] = length;
  else if (start === 4) {
    bytes[at + 1] = 126;
    bytes.writeUInt16BE(length, at + 2);
  } else {
    bytes[at + 1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), at + 2);
  }
  bytes.write(payload, at + start, 'utf8');
  return at + start + length;
};

export const textFrame = (payload: string): Buffer => {
  const length = Buffer.byteLength(payload);
  const frame = Buffer.allocUnsafe(headerOf(length) + length);
  writeFrame(frame, 0, payload, length);
  return frame;
};

/** A frame for several sockets, or the payload of one that no other socket gets. */
export type Outgoing = Buffer | string;

/** Bytes it takes on the wire. */
export const wireLength = (outgoing: Outgoing): number => {
  if (typeof outgoing !== 'string') return outgoing.length;
  const length = Buffer.byteLength(outgoing);
  return headerOf(length) + length;
};

/** Copies or encodes into `bytes` from `at` on. @returns where it ends. */
export const encodeInto = (bytes: Buffer, at: number, outgoing: Outgoing): number => {
  if (typeof outgoing === 'string') return writeFrame(bytes, at, outgoing, Buffer.byteLength(outgoing));
  bytes.set(outgoing, at);
  return at + outgoing.length;
};

/** The text inside a frame made by `textFrame`. */
export const payloadOf = (frame: Buffer): string =>
  frame.toString('utf8', frame[1] === 127 ? 10 : frame[1] === 126 ? 4 : 2);

/** A dispatch as text; `d` is JSON already. */
export const dispatchPayload = (t: string, s: number, d: string): string =>
  `{"op":${Op.dispatch},"s":${s},"t":"${t}","d":${d}}`;

export const dispatchFrame = (t: string, s: number, d: string): Buffer => textFrame(dispatchPayload(t, s, d));

/** The same dispatch with another `s`. */
export const withSequence = (frame: Buffer, s: number): Buffer =>
  textFrame(payloadOf(frame).replace(/^\{"op":0,"s":\d+/, `{"op":0,"s":${s}`));

/** Anything that is not a dispatch. */
export const controlFrame = (op: number, d: unknown): Buffer => textFrame(JSON.stringify({ op, d, s: null, t: null }));

export const HEARTBEAT_ACK = controlFrame(Op.heartbeatAck, null);
export const RECONNECT = controlFrame(Op.reconnect, null);
/** Always `false`: told `true`, discord.js resumes again at once, for ever. */
export const INVALID_SESSION = controlFrame(Op.invalidSession, false);
