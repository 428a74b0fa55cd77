/**
 * A WebSocket client that does as little as possible, so that thousands of them leave the processor to the code under
 * measurement: no validation, no copies, and frames are read in place.
 */
import { connect, type Socket } from 'node:net';

const HEADER = (port: number) =>
  `GET /gateway?v=10&encoding=json HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

const END_OF_HEADER = Buffer.from('\r\n\r\n');
const CLOSE = 8;

/** A masked text frame. The mask is zero, which leaves the bytes as they are. */
export const clientFrame = (payload: string): Buffer => {
  const length = Buffer.byteLength(payload);
  if (length > 65_535) throw new Error('longer than a client may send');
  const start = (length < 126 ? 2 : 4) + 4;
  const frame = Buffer.alloc(start + length);
  frame[0] = 0x81;
  if (length < 126) frame[1] = 0x80 | length;
  else {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  }
  frame.write(payload, start, 'utf8');
  return frame;
};

/** A text frame as a server sends it. */
export const serverFrame = (payload: string): Buffer => {
  const length = Buffer.byteLength(payload);
  const start = length < 126 ? 2 : 4;
  const frame = Buffer.alloc(start + length);
  frame[0] = 0x81;
  frame[1] = Math.min(length, 126);
  if (length >= 126) frame.writeUInt16BE(length, 2);
  frame.write(payload, start, 'utf8');
  return frame;
};

/** The place of one frame's payload: `bytes[start..end)`. Valid only during the call. */
export type OnFrame = (bytes: Buffer, start: number, end: number) => void;

export class MiniSocket {
  readonly socket: Socket;
  readonly #onFrame: OnFrame;
  #rest: Buffer | undefined;
  #upgraded = false;

  /** Connects and upgrades. Frames may be written at once; they go out after the upgrade request. */
  constructor(port: number, onFrame: OnFrame, onClose: () => void) {
    this.#onFrame = onFrame;
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', onClose);
    this.socket.write(HEADER(port));
  }

  send(payload: string): void {
    this.socket.write(clientFrame(payload));
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (!this.#upgraded) {
      const end = bytes.indexOf(END_OF_HEADER);
      if (end === -1) {
        this.#rest = bytes;
        return;
      }
      this.#upgraded = true;
      at = end + END_OF_HEADER.length;
    }
    while (bytes.length - at >= 2) {
      let length = bytes[at + 1]!;
      let start = at + 2;
      if (length === 126) {
        if (bytes.length - at < 4) break;
        length = bytes.readUInt16BE(at + 2);
        start = at + 4;
      } else if (length === 127) {
        if (bytes.length - at < 10) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      if (bytes.length - start < length) break;
      if ((bytes[at]! & 15) === CLOSE) this.socket.destroy();
      else this.#onFrame(bytes, start, start + length);
      at = start + length;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
  }
}

/** The beginning of a payload, enough to tell its kind. */
export const kindOf = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString('latin1', start, Math.min(end, start + 64));
