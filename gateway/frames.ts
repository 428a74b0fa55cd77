/** Gateway messages as bytes: complete WebSocket text frames that any number of sockets can be given unchanged. */
import { Op } from '../schemas/gateway/frames.ts';

/** FIN and opcode "text"; what a server sends is not masked (RFC 6455, 5.1). */
const FINAL_TEXT = 0x81;

export const textFrame = (payload: string): Buffer => {
  const length = Buffer.byteLength(payload);
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FINAL_TEXT;
  if (start === 2) frame[1] = length;
  else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(payload, start, 'utf8');
  return frame;
};

/** The text inside a frame made by `textFrame`. */
export const payloadOf = (frame: Buffer): string =>
  frame.toString('utf8', frame[1] === 127 ? 10 : frame[1] === 126 ? 4 : 2);

/** A dispatch; `d` is JSON already. */
export const dispatchFrame = (t: string, s: number, d: string): Buffer =>
  textFrame(`{"op":${Op.dispatch},"s":${s},"t":"${t}","d":${d}}`);

/** The same dispatch with another `s`. */
export const withSequence = (frame: Buffer, s: number): Buffer =>
  textFrame(payloadOf(frame).replace(/^\{"op":0,"s":\d+/, `{"op":0,"s":${s}`));

/** Anything that is not a dispatch. */
export const controlFrame = (op: number, d: unknown): Buffer => textFrame(JSON.stringify({ op, d, s: null, t: null }));

export const HEARTBEAT_ACK = controlFrame(Op.heartbeatAck, null);
export const RECONNECT = controlFrame(Op.reconnect, null);
/** Always `false`: told `true`, discord.js resumes again at once, for ever. */
export const INVALID_SESSION = controlFrame(Op.invalidSession, false);
