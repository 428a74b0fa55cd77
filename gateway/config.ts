/** The numbers that the gateway keeps to, and their defaults. */

import type { QueueLimits } from '../schemas/fair-queue.ts';

export interface GatewayConfig {
  readonly heartbeatIntervalMs: number;
  /**
   * Missed heartbeat intervals after which a session counts as dead: one heartbeat may be late, two may not be missing.
   */
  readonly heartbeatTolerance: number;
  /** How long a new socket may take to identify or resume, in milliseconds. */
  readonly identifyTimeoutMs: number;
  /** How long a socket may take to close after it was told to, in milliseconds. */
  readonly closeGraceMs: number;
  /** How often all sessions are checked for the above, in milliseconds. */
  readonly sweepIntervalMs: number;
  /**
   * Bytes that may wait in one socket before it is closed as too slow. Ephemeral dispatches stop at a quarter of it.
   */
  readonly byteBudget: number;
  /** Bytes of live dispatches that may wait while a session's initial set or resume is being sent. */
  readonly heldBudget: number;
  /**
   * How long a socket may take nothing while it is sent what precedes its live dispatches, in milliseconds. Then it is
   * closed as too slow.
   */
  readonly stallMs: number;
  /** Maximum dispatches that a resume may replay. */
  readonly resumeLimit: number;
  /** How what a resume replays is read. */
  readonly resumes: {
    /** Events in memory at a time, for each resume. */
    readonly page: number;
    /** Resumes under way. Further ones wait. */
    readonly running: QueueLimits;
    /** Reads of the log at the same time. A resume whose client does not read makes none. */
    readonly reading: QueueLimits;
  };
  /**
   * Memory for recent events and their dispatches, kept for resumes; in estimated bytes. With 0, resumes read the log.
   */
  readonly ringBytes: number;
  /** Requests for members (op 8) under way. Further ones wait. */
  readonly memberRequests: QueueLimits;
  /** Frames with one of Discord's opcodes per window and connection. */
  readonly opBudget: { readonly count: number; readonly windowMs: number };
  /**
   * Frames of ops 100 to 103 that are refused or ask for nothing, per window and connection; absent where there is no
   * limit. Beyond it the socket is not read for a while.
   */
  readonly refusedBudget: { readonly count: number; readonly windowMs: number } | undefined;
  /** Sockets that have not identified, in all and from one address. */
  readonly unidentified: { readonly sockets: number; readonly perAddress: number };
  /** Compressed sockets with a memory of their own. Further ones are sent the same in stored blocks. */
  readonly compressed: number;
  /** Commands of one session that may be in progress at once. */
  readonly commandsInFlight: number;
  /** How long a starting session waits for the views to hold what was in the log when it asked, in milliseconds. */
  readonly viewsTimeoutMs: number;
  /** The address for resumes, as READY gives it. `host` is what the client connected to. */
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
  stallMs: 30_000,
  resumeLimit: 10_000,
  resumes: {
    page: 500,
    // With a page of 0.5 MB and as much in the socket, one person holds 4 MB, and all hold 256 MB at most.
    running: { atOnce: 256, perPerson: 4, perAddress: 64 },
    reading: { atOnce: 4, perPerson: 1, perAddress: 2 },
  },
  ringBytes: 16 * 1024 * 1024,
  // A chunk is 0.4 MB, and a socket holds up to two.
  memberRequests: { atOnce: 16, perPerson: 2, perAddress: 8 },
  opBudget: { count: 120, windowMs: 60_000 },
  refusedBudget: { count: 500, windowMs: 1_000 },
  unidentified: { sockets: 5_000, perAddress: 1_000 },
  compressed: 1_000,
  commandsInFlight: 256,
  viewsTimeoutMs: 5_000,
  resumeGatewayUrl: (host) => `ws://${host ?? 'localhost'}/gateway`,
};
