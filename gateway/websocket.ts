/** The WebSocket of the gateway: what `ws` has no setting for. */

import { WebSocket } from 'ws';
import { CloseCode, FRAME_BYTES } from '../schemas/gateway/frames.ts';

/** Clients know every fault that `ws` finds in a frame (protocol, UTF-8, length, number of its pieces) as one code. */
const UNDECODABLE: ReadonlySet<number | undefined> = new Set([1002, 1007, 1008, 1009]);

export class GatewaySocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    super.close(UNDECODABLE.has(code) ? CloseCode.decodeError : code, reason);
  }
}

/** What `ws` reads a socket with. */
interface Reading {
  readonly _receiver?: { _maxPayload: number };
}

/** Lets in frames of any length that there is. `ws` sets the bound once, and a client that has not identified gets less. */
export const takeLongFrames = (ws: WebSocket): void => {
  const { _receiver: receiver } = ws as unknown as Reading;
  if (receiver !== undefined) receiver._maxPayload = FRAME_BYTES;
};
