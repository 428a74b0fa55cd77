/** What the gateway is made of and the numbers it keeps to. */
import type { Dispatcher } from '../commands/port.ts';
import type { LogReader } from '../log/port.ts';
import type { Access } from '../projections/access.ts';
import type { Views } from '../projections/port.ts';
import type { Presenter } from '../projections/presenter/index.ts';
import type { Audience } from '../schemas/streams.ts';
import type { Tokens } from '../vault/tokens-port.ts';
import type { SessionRegistry } from './registry/port.ts';

export interface GatewayConfig {
  readonly heartbeatIntervalMs: number;
  /** Heartbeat intervals without a heartbeat after which a session counts as dead: one may be late, two may not be missing. */
  readonly heartbeatTolerance: number;
  /** How long a new socket may take to identify or resume. */
  readonly identifyTimeoutMs: number;
  /** How long a socket that was told to close may take to do so. */
  readonly closeGraceMs: number;
  /** How often all sessions are looked over for the above. */
  readonly sweepIntervalMs: number;
  /** Bytes that may wait in one socket before it is closed as too slow; ephemeral dispatches stop at a quarter. */
  readonly byteBudget: number;
  /** Bytes of live dispatches that may wait while a session's initial set or resume is sent. */
  readonly heldBudget: number;
  /** Most dispatches a resume may replay. */
  readonly resumeLimit: number;
  /** Memory for recent events and their dispatches, kept for resumes; in bytes, estimated. 0: resumes read the log. */
  readonly ringBytes: number;
  /** Frames with a library's opcode per window and connection. */
  readonly opBudget: { readonly count: number; readonly windowMs: number };
  /** Commands of one session that may be under way at once. */
  readonly commandsInFlight: number;
  /** How long a starting session waits for the views to hold what was in the log when it came. */
  readonly viewsTimeoutMs: number;
  /** Address a client resumes at, told in READY; `host` is what it connected to. */
  readonly resumeGatewayUrl: (host: string | undefined) => string;
}

export const defaultGatewayConfig: GatewayConfig = {
  heartbeatIntervalMs: 41_250,
  heartbeatTolerance: 1.5,
  identifyTimeoutMs: 30_000,
  closeGraceMs: 5_000,
  sweepIntervalMs: 1_000,
  byteBudget: 1024 * 1024,
  heldBudget: 4 * 1024 * 1024,
  resumeLimit: 10_000,
  ringBytes: 16 * 1024 * 1024,
  opBudget: { count: 120, windowMs: 60_000 },
  commandsInFlight: 256,
  viewsTimeoutMs: 5_000,
  resumeGatewayUrl: (host) => `ws://${host ?? 'localhost'}/gateway`,
};

/** How a resume ended. */
export type ResumeOutcome = 'ring' | 'log' | 'invalid' | 'too-many' | 'aborted';

export interface GatewayMetrics {
  /** Identified sessions came (1) or went (-1). */
  sessions(change: 1 | -1): void;
  /** Dispatches handed to sockets. */
  dispatches(count: number): void;
  /** Bytes handed to sockets. */
  bytes(count: number): void;
  resumes(outcome: ResumeOutcome): void;
  /** The server closes a socket. */
  closes(code: number): void;
  /** A command is refused, for the reason the error catalogue names so. */
  refusals(error: string): void;
}

/** The part of a pino logger that the gateway uses. */
export interface GatewayLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export type GatewayPresenter = Pick<
  Presenter,
  'user' | 'member' | 'channel' | 'guildCreate' | 'posted' | 'edited' | 'invite'
>;

/** In a cluster only what is listened to arrives, and the views move on by themselves. */
export interface Feed {
  /** Resolves when nothing of these audiences beyond the position delivered through can be missed. Counted. */
  listen(audiences: readonly Audience[]): Promise<void>;
  leave(audiences: readonly Audience[]): void;
  /**
   * Guilds as they were at a position, and heads that are not older: what is read waits until the views hold it.
   * @throws StoreUnavailable when that takes too long
   */
  viewsAt(position: number): Pick<Views, 'guilds' | 'unread'>;
}

export interface GatewayDeps {
  readonly log: LogReader;
  readonly views: Views;
  readonly presenter: GatewayPresenter;
  readonly access: Pick<Access, 'visibleChannels'>;
  readonly tokens: Tokens;
  readonly dispatcher: Dispatcher;
  readonly config: GatewayConfig;
  readonly logger: GatewayLogger;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  /** Left out where every event arrives and the views stand still when asked to. */
  readonly feed?: Feed;
  /** Told who is connected to this gateway; left out where there is no other. */
  readonly registry?: SessionRegistry;
}
