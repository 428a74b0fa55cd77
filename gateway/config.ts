/** What the gateway is made of and the numbers it keeps to. */

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
