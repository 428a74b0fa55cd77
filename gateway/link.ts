/** What a session needs of its connection, whether this process holds the socket or a socket process does. */

import type { Compression } from './compression.ts';

/** What is told of a connection. */
export interface LinkHolder {
  /** A text or binary frame: some libraries send their JSON as binary. */
  received(data: Buffer): void;
  /** The socket is gone. */
  gone(): void;
}

/**
 * Where complete frames go. A `net.Socket` is one as it is: nothing stands between a session and a socket of its own
 * process, which thousands of sockets would pay for.
 */
export interface Outlet {
  /** True while it takes frames. */
  readonly writable: boolean;
  /** Bytes that the peer's side has yet to take. */
  readonly writableLength: number;
  /** Set where it is done with the bytes when `write` returns. A socket still reads from them while any wait. */
  readonly copies?: boolean;
  /**
   * Writes past `ws`, which writes its own frames (pong, close) synchronously and, without compression of its own, each
   * as one unfragmented frame. So whole frames of ours never split one of its frames.
   */
  write(frames: Buffer): unknown;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
}

/** When frames are written. */
export interface Pace {
  /** Calls the function when frames can be written again, never at once. */
  soon(flush: () => void): void;
  /** Everything of this turn has been written. */
  flushed(): void;
  /** Grows with what has been carried out. Absent where a write is done when it returns. */
  readonly done?: number;
}

export interface Link {
  readonly outlet: Outlet;
  /** When its frames are written; the same object for all sockets that take turns. Absent: as for those of this process. */
  readonly pace?: Pace;
  /** Must be called once, in the turn in which the link was made. */
  attach(holder: LinkHolder): void;
  /**
   * What is written from now on is compressed. Changes `outlet`.
   * @param remembers whether the stream may take memory of its own
   */
  compress(kind: Compression, remembers: boolean): void;
  /**
   * Calls back once, when the peer has answered a ping after what was written, or when the socket is gone.
   * @returns how to be called no more
   */
  onceRead(read: () => void): () => void;
  /** Lets in frames of any length that there is. */
  takeLongFrames(): void;
  /** Stops reading for a while. */
  pause(): void;
  resume(): void;
  /** Begins the close of the protocol. */
  close(code: number, reason: string): void;
  /** Ends the connection once what was written is sent. */
  destroySoon(): void;
  terminate(): void;
}
