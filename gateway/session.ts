/** One socket's session, and the topics that say what it hears. Kept small: ten thousand of them stand idle. */

import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Device } from '../coordination/port.ts';
import { CloseCode } from '../schemas/gateway/frames.ts';
import type { Audience } from '../schemas/streams.ts';
import type { FrameTree } from './frame-tree.ts';

/** Why a socket is closed: the code libraries act on, and a reason for people. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

const closing = (code: number, reason: string): Closing => ({ code, reason });

/** Codes 4000 and 1012 make clients resume. */
export const Closings = {
  restarting: closing(CloseCode.serviceRestart, 'Restarting'),
  failed: closing(CloseCode.unknownError, 'Unknown error'),
  notDelivered: closing(CloseCode.unknownError, 'Delivery failed'),
  notReady: closing(CloseCode.unknownError, 'Not ready'),
  tooSlow: closing(CloseCode.unknownError, 'Too slow'),
  unknownOpcode: closing(CloseCode.unknownOpcode, 'Unknown opcode'),
  undecodable: closing(CloseCode.decodeError, 'Frames are JSON text: {op, d}'),
  tooLong: closing(CloseCode.decodeError, 'Frame too long'),
  wrongPayload: closing(CloseCode.decodeError, 'The payload does not fit its opcode'),
  notAuthenticated: closing(CloseCode.notAuthenticated, 'Identify first'),
  badToken: closing(CloseCode.authenticationFailed, 'Authentication failed'),
  alreadyAuthenticated: closing(CloseCode.alreadyAuthenticated, 'Already authenticated'),
  invalidSequence: closing(CloseCode.invalidSequence, 'Invalid seq'),
  rateLimited: closing(CloseCode.rateLimited, 'Too many frames'),
  identifyInTime: closing(CloseCode.sessionTimedOut, 'Identify in time'),
  noHeartbeat: closing(CloseCode.sessionTimedOut, 'No heartbeat'),
  invalidShard: closing(CloseCode.invalidShard, 'Invalid shard'),
  invalidVersion: closing(CloseCode.invalidVersion, 'Speak v=10 and encoding=json, without compress'),
  invalidIntents: closing(CloseCode.invalidIntents, 'Invalid intents'),
} as const;

export const Phase = {
  /** Connected; has to identify or resume. */
  fresh: 0,
  /** Identify or Resume is being looked at. */
  starting: 1,
  /** Registered for live dispatches, which wait until what came before them is out. */
  holding: 2,
  live: 3,
  closed: 4,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** What sessions report to. */
export interface SessionHost {
  received(session: Session, data: Buffer, isBinary: boolean): void;
  /** The session is live. */
  started(session: Session): void;
  /** The server closes the socket. */
  closing(session: Session, why: Closing): void;
  /** The session hears nothing any more; its socket may still be closing. */
  ended(session: Session): void;
  /** The socket is gone. */
  gone(session: Session): void;
  now(): number;
}

/** Everybody who hears one audience. */
export class Topic {
  readonly audience: Audience;
  /** Guild of a guild or its channel; `null` for people and direct channels. */
  readonly guildId: string | null;
  readonly sessions = new Set<Session>();

  constructor(audience: Audience, guildId: string | null) {
    this.audience = audience;
    this.guildId = guildId;
  }
}

/** State stands on the socket itself, so that one listener function serves all sockets. */
interface SessionSocket extends WebSocket {
  parleySession: Session;
}

const NO_TOPICS: Topic[] = [];

function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
  const session = (this as SessionSocket).parleySession;
  session.host.received(session, data, isBinary);
}

function onClose(this: WebSocket): void {
  const session = (this as SessionSocket).parleySession;
  session.end();
  session.host.gone(session);
}

/** `ws` closes the socket by itself; the listener is there because an unheard 'error' would end the process. */
function onError(this: WebSocket): void {}

export class Session {
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly host: SessionHost;
  phase: Phase = Phase.fresh;
  /** What the client connected to; forgotten once READY has told it where to resume. */
  address: string | undefined;
  /** When it connected, began to start, last beat its heart, or was told to close: what the sweep looks at. Milliseconds since 1970. */
  seenAt: number;
  userId = '';
  isBot = false;
  device: Device = 'other';
  administers = false;
  /** Sees the text of messages that are not its own, direct or mentioning it. */
  readsContent = true;
  intents = 0;
  generation = 0;
  shardId = 0;
  shardCount = 1;
  largeThreshold = 50;
  /** `s` of the last dispatch sent or waiting to be: everything this session may see up to there is on its way. */
  s = 0;
  pending: FrameTree | null = null;
  topics: Topic[] = NO_TOPICS;
  opWindow: number;
  opCount = 0;
  commandsInFlight = 0;

  /** @param address what the client connected to, from its Host header. */
  constructor(ws: WebSocket, socket: Socket, host: SessionHost, address: string | undefined) {
    this.ws = ws;
    this.socket = socket;
    this.host = host;
    this.address = address;
    this.seenAt = host.now();
    this.opWindow = this.seenAt;
    (ws as SessionSocket).parleySession = this;
    ws.on('message', onMessage);
    ws.on('close', onClose);
    ws.on('error', onError);
  }

  get listening(): boolean {
    return this.phase === Phase.holding || this.phase === Phase.live;
  }

  hears(topic: Topic): void {
    if (topic.sessions.has(this)) return;
    topic.sessions.add(this);
    if (this.topics === NO_TOPICS) this.topics = [topic];
    else this.topics.push(topic);
  }

  forgetTopics(): void {
    this.topics = NO_TOPICS;
  }

  /**
   * True while the socket takes frames. `ws` ends it as soon as it has answered the peer's close frame. Asked of the
   * socket, which a write touches anyway, rather than of `ws`: one object less to fetch for each of thousands of sockets.
   */
  get writable(): boolean {
    return this.socket.writable;
  }

  /**
   * Writes complete frames past `ws`, straight to its socket. `ws` writes its own frames (pong, close) synchronously and,
   * without compression, each as one unfragmented frame, so whole frames of ours can only stand between them.
   */
  write(frames: Buffer): void {
    if (this.writable) this.socket.write(frames);
  }

  /** Sends what waits, then closes. */
  close(why: Closing): void {
    if (this.phase === Phase.closed) return;
    if (this.phase === Phase.live && this.pending !== null) this.write(this.pending.bytes());
    this.drop(why);
  }

  /** Closes without sending what waits. */
  drop(why: Closing): void {
    if (this.phase === Phase.closed) return;
    this.end();
    this.host.closing(this, why);
    this.ws.close(why.code, why.reason);
  }

  /** After a refused resume: as if just connected. */
  startOver(): void {
    this.phase = Phase.fresh;
    this.pending = null;
    this.s = 0;
    this.seenAt = this.host.now();
  }

  /** What it was registered for is no longer what it may see: back to where nothing had come yet. */
  beginAgain(): void {
    this.phase = Phase.starting;
    this.pending = null;
    this.s = 0;
  }

  /** Hears nothing from now on. */
  end(): void {
    if (this.phase === Phase.closed) return;
    this.host.ended(this);
    this.phase = Phase.closed;
    this.pending = null;
    this.seenAt = this.host.now();
  }
}
