/** Complete WebSocket frames as bytes: made, joined and taken apart. */

/** FIN and opcode; what a server sends is not masked (RFC 6455, 5.1). */
const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;

const headerOf = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

/** @param length of the payload in bytes. @returns where the payload begins */
const writeHeader = (bytes: Buffer, at: number, opcode: number, length: number): number => {
  const start = headerOf(length);
  bytes[at] = opcode;
  if (start === 2) bytes[at + 1] = length;
  else if (start === 4) {
    bytes[at + 1] = 126;
    bytes.writeUInt16BE(length, at + 2);
  } else {
    bytes[at + 1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), at + 2);
  }
  return at + start;
};

/**
 * Writes a frame into `bytes`, starting at `at`.
 * @param length of the payload in UTF-8 bytes.
 * @returns where the frame ends.
 */
const writeFrame = (bytes: Buffer, at: number, payload: string, length: number): number => {
  const start = writeHeader(bytes, at, FINAL_TEXT, length);
  bytes.write(payload, start, 'utf8');
  return start + length;
};

export const textFrame = (payload: string): Buffer => {
  const length = Buffer.byteLength(payload);
  const frame = Buffer.allocUnsafe(headerOf(length) + length);
  writeFrame(frame, 0, payload, length);
  return frame;
};

/** The frame of a payload in three pieces: joined to one string, it would be copied once more. */
export const textFrameAround = (before: string, payload: string, after: string): Buffer => {
  const [first, middle] = [Buffer.byteLength(before), Buffer.byteLength(payload)];
  const length = first + middle + Buffer.byteLength(after);
  const frame = Buffer.allocUnsafe(headerOf(length) + length);
  const start = writeHeader(frame, 0, FINAL_TEXT, length);
  frame.write(before, start, 'utf8');
  frame.write(payload, start + first, 'utf8');
  frame.write(after, start + first + middle, 'utf8');
  return frame;
};

/** A frame for several sockets, or the payload of a frame for one socket only. */
export type Outgoing = Buffer | string;

/** Bytes it takes on the wire. */
export const wireLength = (outgoing: Outgoing): number => {
  if (typeof outgoing !== 'string') return outgoing.length;
  const length = Buffer.byteLength(outgoing);
  return headerOf(length) + length;
};

/** Copies or encodes into `bytes`, starting at `at`. @returns where it ends. */
export const encodeInto = (bytes: Buffer, at: number, outgoing: Outgoing): number => {
  if (typeof outgoing === 'string') return writeFrame(bytes, at, outgoing, Buffer.byteLength(outgoing));
  bytes.set(outgoing, at);
  return at + outgoing.length;
};

/** Where the payload begins of the frame at `at`. */
const payloadAt = (frames: Buffer, at: number): number => {
  const short = frames[at + 1];
  return at + (short === 127 ? 10 : short === 126 ? 4 : 2);
};

/** The text inside a frame made by `textFrame`. */
export const payloadOf = (frame: Buffer): string => frame.toString('utf8', payloadAt(frame, 0));

/** The payloads of frames made by `textFrame` that follow each other. They share its bytes. */
export const payloadsOf = (frames: Buffer): Buffer[] => {
  const payloads: Buffer[] = [];
  for (let at = 0; at < frames.length; ) {
    const start = payloadAt(frames, at);
    const short = frames[at + 1]!;
    const length =
      short === 127 ? Number(frames.readBigUInt64BE(at + 2)) : short === 126 ? frames.readUInt16BE(at + 2) : short;
    at = start + length;
    payloads.push(frames.subarray(start, at));
  }
  return payloads;
};

/** The header and the payload of a binary frame. */
export const binaryFrame = (payload: Buffer): readonly [header: Buffer, payload: Buffer] => {
  const header = Buffer.allocUnsafe(headerOf(payload.length));
  writeHeader(header, 0, FINAL_BINARY, payload.length);
  return [header, payload];
};
