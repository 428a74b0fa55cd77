/** The WebSocket of the gateway: what `ws` has no setting for, and what a session needs of it. */

import type { Socket } from 'node:net';
import { type ServerOptions, WebSocket } from 'ws';
import { CloseCode, FRAME_BYTES, LIBRARY_FRAME_BYTES } from '../schemas/gateway/frames.ts';
import { CompressedOutlet } from './compressed-outlet.ts';
import { type Compression, openCompressor } from './compression.ts';
import type { Link, LinkHolder, Outlet } from './link.ts';

/** Clients know every fault that `ws` finds in a frame (protocol, UTF-8, length, number of its pieces) as one code. */
const UNDECODABLE: ReadonlySet<number | undefined> = new Set([1002, 1007, 1008, 1009]);

/**
 * Bytes that may wait in a socket for pings to be answered still. A peer that does not read its answers gets no more.
 */
const PONG_ROOM = 65_536;

function pong(this: WebSocket, data: Buffer): void {
  if (this.bufferedAmount < PONG_ROOM) this.pong(data);
}

// One function each for all sockets.

function onMessage(this: WebSocket, data: Buffer): void {
  (this as GatewaySocket).holder.received(data);
}

function onClose(this: WebSocket): void {
  const { outlet, holder } = this as GatewaySocket;
  if (outlet instanceof CompressedOutlet) outlet.free();
  holder.gone();
}

/** `ws` closes the socket by itself. This listener exists because an unhandled 'error' would end the process. */
function onError(this: WebSocket): void {}

/** What `ws` reads a socket with. */
interface Reading {
  readonly _receiver?: { _maxPayload: number };
}

/** A link over a socket of this process. */
export class GatewaySocket extends WebSocket implements Link {
  outlet!: Outlet;
  holder!: LinkHolder;
  private socket!: Socket;

  /** Must be called first. @param socket the TCP or TLS socket below */
  over(socket: Socket): this {
    this.socket = socket;
    this.outlet = socket;
    return this;
  }

  attach(holder: LinkHolder): void {
    this.holder = holder;
    this.on('message', onMessage);
    this.on('close', onClose);
    this.on('error', onError);
    this.on('ping', pong);
  }

  compress(kind: Compression, remembers: boolean): void {
    this.outlet = new CompressedOutlet(this.socket, openCompressor(kind, remembers));
  }

  onceRead(read: () => void): () => void {
    const giveUp = (): void => {
      this.off('pong', done);
      this.off('close', done);
    };
    const done = (): void => {
      giveUp();
      read();
    };
    this.on('pong', done);
    this.on('close', done);
    this.ping();
    return giveUp;
  }

  /** `ws` sets the bound once, and a client that has not identified gets less. */
  takeLongFrames(): void {
    const { _receiver: receiver } = this as unknown as Reading;
    if (receiver !== undefined) receiver._maxPayload = FRAME_BYTES;
  }

  override close(code?: number, reason?: string | Buffer): void {
    super.close(UNDECODABLE.has(code) ? CloseCode.decodeError : code, reason);
  }

  destroySoon(): void {
    this.socket.destroySoon();
  }
}

/** Of an unfinished frame: fragments, and what arrived of one fragment. One network packet is one piece. */
const MAX_PIECES = 64;

/** How servers make these sockets. */
export const GATEWAY_SOCKETS = {
  // Its type also requires the statics of the module's default export.
  WebSocket: GatewaySocket as unknown as NonNullable<ServerOptions['WebSocket']>,
  // It would cost 228 KB per connection and be eight times slower. Libraries ask for transport compression instead.
  perMessageDeflate: false,
  // Longer frames are for those who have identified.
  maxPayload: LIBRARY_FRAME_BYTES,
  // Each piece of a frame costs some 200 bytes beyond its own.
  maxFragments: MAX_PIECES,
  maxBufferedChunks: MAX_PIECES,
  // These would cost a closure per socket. The gateway knows its sockets and answers pings with one shared listener.
  clientTracking: false,
  autoPong: false,
} satisfies ServerOptions & { readonly maxFragments: number; readonly maxBufferedChunks: number };
