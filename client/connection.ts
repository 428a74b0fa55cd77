/** One WebSocket to the gateway: packets in, frames out, heartbeats. It knows nothing about sessions. */

import { WebSocket } from 'ws';
import { Op } from '../schemas/gateway/frames.ts';

export interface Packet {
  readonly op: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a packet carries depends on its op and type
  readonly d: any;
  readonly s: number | null;
  readonly t: string | null;
}

export interface ConnectionListener {
  packet(packet: Packet): void;
  /** Called once. `code` is 1006 if the connection broke without a close frame. */
  closed(code: number, reason: string): void;
  /** The last `s`, for heartbeats. */
  seq(): number | null;
}

/** Close code for our own closes that makes the server keep the session. */
export const CLOSE_TO_RESUME = 4000;

export class Connection {
  private readonly socket: WebSocket;
  private readonly listener: ConnectionListener;
  private timer: NodeJS.Timeout | undefined;
  private acknowledged = true;

  constructor(url: string, listener: ConnectionListener) {
    this.listener = listener;
    this.socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true, maxPayload: 0 });
    this.socket.on('message', (data) => this.take(JSON.parse(String(data)) as Packet));
    // A `close` follows every error and handles it.
    this.socket.on('error', () => {});
    this.socket.on('close', (code, reason) => {
      clearTimeout(this.timer);
      listener.closed(code, reason.toString());
    });
  }

  send(frame: string): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(frame);
  }

  close(code: number): void {
    if (this.socket.readyState === WebSocket.CONNECTING) this.socket.terminate();
    else this.socket.close(code);
  }

  /** Cuts the connection without a close frame, as a broken network does. */
  terminate(): void {
    this.socket.terminate();
  }

  private take(packet: Packet): void {
    switch (packet.op) {
      case Op.hello:
        this.startBeating(packet.d.heartbeat_interval as number);
        break;
      case Op.heartbeat:
        this.beat();
        break;
      case Op.heartbeatAck:
        this.acknowledged = true;
        break;
    }
    this.listener.packet(packet);
  }

  /** The first beat comes at a random moment of the interval, so that clients that connected together beat apart. */
  private startBeating(interval: number): void {
    const next = (delay: number) => {
      this.timer = setTimeout(() => {
        // The previous beat was not acknowledged, so the connection is dead.
        if (!this.acknowledged) {
          this.terminate();
          return;
        }
        this.acknowledged = false;
        this.beat();
        next(interval);
      }, delay);
      this.timer.unref();
    };
    next(interval * Math.random());
  }

  private beat(): void {
    this.send(JSON.stringify({ op: Op.heartbeat, d: this.listener.seq() }));
  }
}
