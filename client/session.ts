/** A session with the gateway that outlives its connections: it resumes, and repeats unacknowledged commands. */

import { EventEmitter } from 'node:events';
import { Op } from '../schemas/gateway/frames.ts';
import { type CommandResult, type OutgoingCommand, PendingCommands, type ResultFrame } from './commands.ts';
import { CLOSE_TO_RESUME, Connection, type Packet } from './connection.ts';
import type { Dispatches, Ready } from './shapes.ts';

/** Everything needed to continue where an earlier session stopped, even in another process. */
export interface SavedSession {
  readonly id: string;
  readonly seq: number;
  readonly resumeUrl?: string;
}

export interface ConnectOptions {
  /** The gateway: `ws://127.0.0.1:7480/gateway`. */
  readonly url: string;
  readonly token: string;
  /** Discord's intents as a bit set; defaults to all of them. */
  readonly intents?: number;
  readonly session?: SavedSession;
  /** Longest wait between two attempts to connect, in milliseconds; default 5000. */
  readonly maxBackoffMs?: number;
}

export interface SessionEvents {
  /** Every packet of any op, as it came. */
  packet: [packet: Packet];
  /** The session is new, and a snapshot follows. */
  ready: [ready: Ready];
  /** Everything missed has been received. */
  resumed: [];
  /** The connection is gone. `resumes` says whether the session continues on the next one. */
  disconnected: [reason: { readonly code: number; readonly reason: string; readonly resumes: boolean }];
  /** No attempt will follow. */
  ended: [reason: SessionEnded];
}

export class SessionEnded extends Error {
  readonly code: number;

  constructor(code: number, reason: string) {
    super(`the session ended: ${code} ${reason}`);
    this.code = code;
  }
}

/** Every intent that Discord defines: bits 0 to 16, 20, 21, 24 and 25. */
const ALL_INTENTS = 0x331_ffff;
const FIRST_BACKOFF_MS = 50;
/** After these close codes a retry is pointless. */
const FATAL = new Set([4004, 4010, 4011, 4012, 4013, 4014]);
/** After these close codes a new session starts. */
const FRESH = new Set([1000, 4003, 4005, 4007, 4008]);

export class Session extends EventEmitter<SessionEvents> {
  /** Typed listeners by dispatch: `session.events.on('MESSAGE_CREATE', (message, s) => ...)`. */
  readonly events = new EventEmitter<{ [K in keyof Dispatches]: [data: Dispatches[K], s: number] }>();
  private readonly options: ConnectOptions;
  private token: string;
  private readonly pending = new PendingCommands();
  private connection: Connection | undefined;
  private retry: NodeJS.Timeout | undefined;
  private saved: SavedSession | undefined;
  /** READY or RESUMED has arrived on this connection. */
  private live = false;
  private ended: SessionEnded | undefined;
  private attempts = 0;

  constructor(options: ConnectOptions) {
    super();
    this.setMaxListeners(0);
    this.events.setMaxListeners(0);
    this.options = options;
    this.token = options.token;
    this.saved = options.session;
    this.open();
  }

  /** The session's position: pass it to `connect` to continue from here. `undefined` before READY. */
  get session(): SavedSession | undefined {
    return this.saved;
  }

  /** The last `s`; 0 before the first event after the snapshot. */
  get seq(): number {
    return this.saved?.seq ?? 0;
  }

  get connected(): boolean {
    return this.live;
  }

  /** Takes another token from the next connection on: one that the present one was refreshed to. */
  useToken(token: string): void {
    this.token = token;
  }

  /** The number of commands without an answer. */
  get unanswered(): number {
    return this.pending.size;
  }

  /**
   * Sends a command now, or once there is a connection, and again after each reconnect until it is answered. Commands
   * do not wait for each other: send as many as you like.
   * @throws CommandRefused when the server refuses it; SessionEnded when the session ends first
   */
  send(command: OutgoingCommand): Promise<CommandResult> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    const { frame, outcome } = this.pending.add(command);
    if (this.live) this.connection?.send(frame);
    return outcome;
  }

  /** Sends a frame as it is, for opcodes without a method here. */
  sendFrame(op: number, d: unknown): void {
    this.connection?.send(JSON.stringify({ op, d }));
  }

  /** Breaks the connection as a failing network would; the session resumes. */
  cut(): void {
    this.connection?.terminate();
  }

  /** Ends the session in this process. The server keeps it for whoever continues with the returned value. */
  close(): SavedSession | undefined {
    if (this.ended === undefined) {
      this.end(new SessionEnded(1000, 'closed by its owner'));
      this.connection?.close(CLOSE_TO_RESUME);
    }
    return this.saved;
  }

  private open(): void {
    const url = new URL(this.saved?.resumeUrl ?? this.options.url);
    url.searchParams.set('v', '10');
    url.searchParams.set('encoding', 'json');
    this.connection = new Connection(url.href, {
      packet: (packet) => this.take(packet),
      closed: (code, reason) => this.closed(code, reason),
      seq: () => this.saved?.seq ?? null,
    });
  }

  private take(packet: Packet): void {
    if (packet.op === Op.dispatch) this.dispatch(packet);
    this.emit('packet', packet);
    switch (packet.op) {
      case Op.hello:
        this.introduce();
        break;
      case Op.commandResult:
        this.pending.resolve(packet.d as ResultFrame);
        break;
      case Op.reconnect:
        this.connection?.close(CLOSE_TO_RESUME);
        break;
      case Op.invalidSession:
        this.saved = undefined;
        this.connection?.close(CLOSE_TO_RESUME);
        break;
    }
  }

  private introduce(): void {
    const { token } = this;
    const { intents = ALL_INTENTS } = this.options;
    if (this.saved === undefined) {
      const properties = { os: process.platform, browser: 'parley-client', device: 'parley-client' };
      this.sendFrame(Op.identify, { token, intents, properties });
    } else {
      this.sendFrame(Op.resume, { token, session_id: this.saved.id, seq: this.saved.seq });
    }
  }

  private dispatch({ t, d, s }: Packet): void {
    if (t === 'READY') {
      const ready = d as Ready;
      this.saved = { id: ready.session_id, seq: s ?? 0, resumeUrl: ready.resume_gateway_url };
      this.goLive();
      this.emit('ready', ready);
    } else {
      if (s !== null && this.saved !== undefined && s > this.saved.seq) this.saved = { ...this.saved, seq: s };
      if (t === 'RESUMED') {
        this.goLive();
        this.emit('resumed');
      }
    }
    if (t !== null) this.events.emit(t as keyof Dispatches, d, s ?? 0);
  }

  private goLive(): void {
    this.live = true;
    this.attempts = 0;
    for (const frame of this.pending.frames()) this.connection?.send(frame);
  }

  private closed(code: number, reason: string): void {
    this.live = false;
    this.connection = undefined;
    if (FRESH.has(code)) this.saved = undefined;
    this.emit('disconnected', { code, reason, resumes: this.saved !== undefined && !FATAL.has(code) });
    if (this.ended !== undefined) return;
    if (FATAL.has(code)) this.end(new SessionEnded(code, reason));
    else this.retry = setTimeout(() => this.open(), this.backoff());
  }

  /** Doubles with every failed attempt, with jitter, so that clients cut off together do not return together. */
  private backoff(): number {
    const { maxBackoffMs = 5000 } = this.options;
    const wait = Math.min(maxBackoffMs, FIRST_BACKOFF_MS * 2 ** this.attempts);
    this.attempts += 1;
    return wait * (0.5 + Math.random() / 2);
  }

  private end(reason: SessionEnded): void {
    this.ended = reason;
    this.live = false;
    clearTimeout(this.retry);
    this.pending.failAll(reason);
    this.emit('ended', reason);
  }
}

/** Opens a session and keeps it open until `close`. Resumes `session` if it is given. */
export const connect = (options: ConnectOptions): Session => new Session(options);
