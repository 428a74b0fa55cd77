/** A gateway that a spec scripts. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

// biome-ignore lint/suspicious/noExplicitAny: specs look into frames and say what they expect
type Payload = any;

export interface Frame {
  readonly op: number;
  readonly d: Payload;
}

export class FakeGateway {
  readonly server: WebSocketServer;
  /** Every frame received on all connections, except heartbeats. */
  readonly received: Frame[] = [];
  readonly beats: unknown[] = [];
  connections = 0;
  acknowledgesBeats = true;
  onFrame: (frame: Frame, socket: WebSocket) => void;
  private newest: WebSocket | undefined;

  private constructor(server: WebSocketServer, heartbeatMs: number) {
    this.server = server;
    this.onFrame = (frame, socket) => {
      if (frame.op === 2) this.ready(socket);
      if (frame.op === 6) this.dispatch('RESUMED', {}, frame.d.seq, socket);
    };
    server.on('connection', (socket) => {
      this.connections += 1;
      this.newest = socket;
      socket.on('message', (data) => this.take(JSON.parse(String(data)) as Frame, socket));
      socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: heartbeatMs }, s: null, t: null }));
    });
  }

  static async start({ heartbeatMs = 60_000, port = 0 } = {}): Promise<FakeGateway> {
    const server = new WebSocketServer({ port, host: '127.0.0.1' });
    await once(server, 'listening');
    return new FakeGateway(server, heartbeatMs);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/gateway`;
  }

  get socket(): WebSocket {
    return this.newest!;
  }

  ofOp(op: number): Payload[] {
    return this.received.filter((frame) => frame.op === op).map((frame) => frame.d);
  }

  send(op: number, d: unknown = null, socket = this.socket): void {
    socket.send(JSON.stringify({ op, d, s: null, t: null }));
  }

  dispatch(t: string, d: unknown, s: number, socket = this.socket): void {
    socket.send(JSON.stringify({ op: 0, d, s, t }));
  }

  ready(socket = this.socket): void {
    const user = { id: '1', username: 'a', global_name: null };
    const session = { session_id: `session-${this.connections}`, resume_gateway_url: this.url };
    this.dispatch('READY', { v: 10, user, guilds: [], ...session }, 0, socket);
  }

  async close(): Promise<void> {
    for (const socket of this.server.clients) socket.terminate();
    this.server.close();
    await once(this.server, 'close');
  }

  private take(frame: Frame, socket: WebSocket): void {
    if (frame.op === 1) {
      this.beats.push(frame.d);
      if (this.acknowledgesBeats) this.send(11, null, socket);
      return;
    }
    this.received.push(frame);
    this.onFrame(frame, socket);
  }
}
