/**
 * A WebSocket client that does as little as possible, so that thousands of them leave the processor to the code under
 * measurement: no validation, no copies, and frames are read in place.
 */
import { connect, type Socket } from 'node:net';

const headerOf = ({ pathname, search, host }: URL) =>
  `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/** The gateway of a server on this machine. */
export const gatewayAt = (port: number): string => `ws://127.0.0.1:${port}/gateway?v=10&encoding=json`;

const END_OF_HEADER = Buffer.from('\r\n\r\n');
const SWITCHING = 'HTTP/1.1 101';
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** A masked frame. The mask is zero, which leaves the bytes as they are. */
export const clientFrame = (payload: string | Buffer, opcode = TEXT): Buffer => {
  const length = Buffer.byteLength(payload);
  if (length > 65_535) throw new Error('longer than a client may send');
  const start = (length < 126 ? 2 : 4) + 4;
  const frame = Buffer.alloc(start + length);
  frame[0] = 0x80 | opcode;
  if (length < 126) frame[1] = 0x80 | length;
  else {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  }
  if (typeof payload === 'string') frame.write(payload, start, 'utf8');
  else payload.copy(frame, start);
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
  #why = 'the connection is closed';

  /**
   * Connects and upgrades. Frames may be written at once; they go out after the upgrade request.
   * @param url `ws://host:port/path?query`
   * @param onClose is told why, as far as the server or the socket says it
   */
  constructor(url: string, onFrame: OnFrame, onClose: (why: string) => void) {
    const server = new URL(url);
    this.#onFrame = onFrame;
    this.socket = connect({ port: Number(server.port || 80), host: server.hostname, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.socket.on('error', ({ message }) => {
      this.#why = message;
    });
    this.socket.on('close', () => onClose(this.#why));
    this.socket.write(headerOf(server));
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
      if (!bytes.toString('latin1', 0, end).startsWith(SWITCHING)) {
        this.#end(bytes.toString('latin1', 0, bytes.indexOf('\r\n')));
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
      const opcode = bytes[at]! & 15;
      at = start + length;
      if (opcode === TEXT) this.#onFrame(bytes, start, at);
      else if (opcode === PING) this.socket.write(clientFrame(bytes.subarray(start, at), PONG));
      else if (opcode === CLOSE && length < 2) this.#end(this.#why);
      else if (opcode === CLOSE) this.#end(`${bytes.readUInt16BE(start)} ${bytes.toString('utf8', start + 2, at)}`);
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
  }

  #end(why: string): void {
    this.#why = why;
    this.socket.destroy();
  }
}
