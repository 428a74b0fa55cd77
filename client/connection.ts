/** One WebSocket to the gateway: packets in, frames out, heartbeats. It knows nothing of sessions. */

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
  /** Called once; `code` is 1006 where the connection broke without a word. */
  closed(code: number, reason: string): void;
  /** The last `s`, for heartbeats. */
  seq(): number | null;
}

/** Closed by us so that the server keeps the session. */
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
    // A `close` follows every error and is what counts.
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

  /** Cuts the connection without a word, as a broken network does. */
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

  /** The first beat comes at a random moment of the interval, so that clients that came together do not beat together. */
  private startBeating(interval: number): void {
    const next = (delay: number) => {
      this.timer = setTimeout(() => {
        // No answer to the beat before: nobody is there.
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
