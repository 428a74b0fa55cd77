/** One socket's session, and the topics it receives. Kept small: ten thousand of them may be idle. */

import type { Device } from '../coordination/port.ts';
import type { Caller } from '../schemas/fair-queue.ts';
import { CloseCode } from '../schemas/gateway/frames.ts';
import { type Audience, guildAudience } from '../schemas/streams.ts';
import { FixedWindow } from './fixed-window.ts';
import type { FrameTree } from './frame-tree.ts';
import type { Lane } from './lane.ts';
import type { Link, LinkHolder, Outlet } from './link.ts';

/** Why a socket is closed: a code that libraries act on, and a reason for people. */
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
  undecodable: closing(CloseCode.decodeError, 'Frames are JSON: {op, d}'),
  tooLong: closing(CloseCode.decodeError, 'Frame too long'),
  wrongPayload: closing(CloseCode.decodeError, 'The payload does not fit its opcode'),
  tooManySockets: closing(CloseCode.rateLimited, 'Too many sockets that have not identified'),
  notAuthenticated: closing(CloseCode.notAuthenticated, 'Identify first'),
  signedOut: closing(CloseCode.authenticationFailed, 'Signed out'),
  badToken: closing(CloseCode.authenticationFailed, 'Authentication failed'),
  alreadyAuthenticated: closing(CloseCode.alreadyAuthenticated, 'Already authenticated'),
  invalidSequence: closing(CloseCode.invalidSequence, 'Invalid seq'),
  rateLimited: closing(CloseCode.rateLimited, 'Too many frames'),
  identifyInTime: closing(CloseCode.sessionTimedOut, 'Identify in time'),
  noHeartbeat: closing(CloseCode.sessionTimedOut, 'No heartbeat'),
  takenOver: closing(CloseCode.sessionTimedOut, 'Resumed on another socket'),
  invalidShard: closing(CloseCode.invalidShard, 'Invalid shard'),
  invalidVersion: closing(CloseCode.invalidVersion, 'Speak v=10 and encoding=json'),
  invalidIntents: closing(CloseCode.invalidIntents, 'Invalid intents'),
} as const;

export const Phase = {
  /** Connected; has to identify or resume. */
  fresh: 0,
  /** Identify or Resume is in progress. */
  starting: 1,
  /** Registered for live dispatches, which wait until everything before them has been sent. */
  holding: 2,
  live: 3,
  closed: 4,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** What a session reports to. */
export interface SessionHost {
  /** A text or binary frame: some libraries send their JSON as binary. */
  received(session: Session, data: Buffer): void;
  /** Its client has shown a good token. */
  identified(session: Session): void;
  /** The session is live. */
  started(session: Session): void;
  /** The server closes the socket. */
  closing(session: Session, why: Closing): void;
  /** The session receives nothing any more; its socket may still be closing. */
  ended(session: Session): void;
  /** The socket is gone. */
  gone(session: Session): void;
  now(): number;
}

/** All sessions of one audience. */
export class Topic {
  readonly audience: Audience;
  /** The guild of a guild's or its channels' audience; `null` for people and direct channels. */
  readonly guildId: string | null;
  readonly sessions = new Set<Session>();

  constructor(audience: Audience, guildId: string | null) {
    this.audience = audience;
    this.guildId = guildId;
  }
}

const NO_TOPICS: Topic[] = [];
const NO_ROLES: readonly string[] = [];

export class Session implements LinkHolder {
  readonly link: Link;
  /**
   * Where its frames go, if this is writable: true until the peer's close frame is answered. Read past the link, as a
   * write touches it anyway: one memory access less for each of thousands of sockets.
   */
  readonly outlet: Outlet;
  readonly lane: Lane<Session>;
  readonly host: SessionHost;
  /** Its compression has memory of its own. */
  remembers = false;
  phase: Phase = Phase.fresh;
  /** What the client connected to. Dropped once READY has said where to resume. */
  address: string | undefined;
  /** The client's network address. */
  readonly peer: string;
  /**
   * When it connected, began to start, last sent a heartbeat, or was told to close. The sweep checks it. Milliseconds,
   * monotonic.
   */
  seenAt: number;
  /** Of the session, from its begin or its resume on. */
  id = '';
  /** What it tells other gateways of its session by. */
  claim = '';
  /** Whoever takes the session over from now on comes after this socket. */
  claimed = false;
  userId = '';
  isBot = false;
  device: Device = 'other';
  administers = false;
  /** Sees the text of messages that are not its own, not direct and do not mention it. */
  readsContent = true;
  intents = 0;
  generation = 0;
  /** Absent for bots, and for tokens of former versions. */
  signIn: string | undefined;
  shardId = 0;
  shardCount = 1;
  largeThreshold = 50;
  /** `s` of the last dispatch sent or queued: everything this session may see up to it is on its way. */
  s = 0;
  pending: FrameTree | null = null;
  topics: Topic[] = NO_TOPICS;
  /** By guild, of those in which it has any. */
  private roles: Map<string, readonly string[]> | undefined;
  /** By guild, of those in which it was timed out. */
  private timeouts: Map<string, number> | undefined;
  /** Frames of the opcodes of libraries. */
  readonly ops: FixedWindow;
  /** Frames of our own opcodes that were refused, or asked for nothing. */
  readonly refused: FixedWindow;
  /** It counts among the sockets that have not identified. */
  counted = false;
  commandsInFlight = 0;
  /** It has been live, though it may be catching up now. */
  begun = false;
  /** Events beyond this position have not been delivered to it: it has to catch up. Only in a cluster. */
  missedFrom: number | undefined;

  /** @param address what the client connected to, from its Host header. @param peer the client's network address. */
  constructor(link: Link, lane: Lane<Session>, host: SessionHost, address: string | undefined, peer: string) {
    this.link = link;
    this.outlet = link.outlet;
    this.lane = lane;
    this.host = host;
    this.address = address;
    this.peer = peer;
    this.seenAt = host.now();
    this.ops = new FixedWindow(this.seenAt);
    this.refused = new FixedWindow(this.seenAt);
    link.attach(this);
  }

  received(data: Buffer): void {
    this.host.received(this, data);
  }

  gone(): void {
    this.end();
    this.host.gone(this);
  }

  get listening(): boolean {
    return this.phase === Phase.holding || this.phase === Phase.live || (this.begun && this.phase !== Phase.closed);
  }

  /** Whose work it is that the session causes. */
  get caller(): Caller {
    return { userId: this.userId, address: this.peer };
  }

  hears(topic: Topic): void {
    if (topic.sessions.has(this)) return;
    topic.sessions.add(this);
    if (this.topics === NO_TOPICS) this.topics = [topic];
    else this.topics.push(topic);
  }

  /** From now on, in a guild that it hears. */
  hasRoles(guildId: string, roles: readonly string[]): void {
    if (roles.length > 0) {
      this.roles ??= new Map();
      this.roles.set(guildId, roles);
    } else this.roles?.delete(guildId);
  }

  rolesIn(guildId: string): readonly string[] {
    return this.roles?.get(guildId) ?? NO_ROLES;
  }

  /** From now on, in a guild that it hears. @param until milliseconds since 1970; null: not */
  isTimedOut(guildId: string, until: number | null): void {
    if (until !== null) {
      this.timeouts ??= new Map();
      this.timeouts.set(guildId, until);
    } else this.timeouts?.delete(guildId);
  }

  timedOutUntil(guildId: string): number {
    return this.timeouts?.get(guildId) ?? 0;
  }

  isIn(guildId: string): boolean {
    return this.topics.some(({ audience }) => audience === guildAudience(guildId));
  }

  forgetTopics(): void {
    this.topics = NO_TOPICS;
    this.roles = undefined;
    this.timeouts = undefined;
  }

  write(frames: Buffer): void {
    if (this.outlet.writable) this.outlet.write(frames);
  }

  /** Sends what is waiting, then closes. */
  close(why: Closing): void {
    if (this.phase === Phase.closed) return;
    if (this.phase === Phase.live && this.pending !== null) this.write(this.pending.bytes());
    this.drop(why);
  }

  /** Closes without sending what is waiting. */
  drop(why: Closing): void {
    if (this.phase === Phase.closed) return;
    this.end();
    this.host.closing(this, why);
    this.link.close(why.code, why.reason);
  }

  /** Returns to the state after connecting, once a resume was refused. */
  startOver(): void {
    this.phase = Phase.fresh;
    this.pending = null;
    this.s = 0;
    this.seenAt = this.host.now();
  }

  /** Returns to the starting phase, because what it may see changed since it was registered. */
  beginAgain(): void {
    this.phase = Phase.starting;
    this.pending = null;
    this.s = 0;
  }

  /** Stops receiving anything. */
  end(): void {
    if (this.phase === Phase.closed) return;
    this.host.ended(this);
    this.phase = Phase.closed;
    this.pending = null;
    this.seenAt = this.host.now();
  }
}
