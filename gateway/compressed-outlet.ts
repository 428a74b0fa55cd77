/** A socket that is sent everything compressed. */

import type { Compressor } from './compression.ts';
import type { Outlet } from './link.ts';

export class CompressedOutlet implements Outlet {
  private readonly socket: Outlet;
  private readonly compressor: Compressor;
  readonly copies = true;

  constructor(socket: Outlet, compressor: Compressor) {
    this.socket = socket;
    this.compressor = compressor;
  }

  get writable(): boolean {
    return this.socket.writable;
  }

  get writableLength(): number {
    return this.socket.writableLength;
  }

  write(frames: Buffer): void {
    this.socket.write(this.compressor.frames(frames));
  }

  on(event: 'drain' | 'close', listener: () => void): void {
    this.socket.on(event, listener);
  }

  off(event: 'drain' | 'close', listener: () => void): void {
    this.socket.off(event, listener);
  }

  /** Once, when the socket is gone. */
  free(): void {
    this.compressor.close();
  }
}
