/** Ends sessions whose clients have fallen silent. One timer checks all of them. */

import type { GatewayConfig } from './config.ts';
import { Closings, Phase, type Session } from './session.ts';

/**
 * Closes sessions that never identified, whose heartbeats have stopped, or that do not close.
 * @param now monotonic milliseconds
 * @param slept how much later than due the check is. The process did not run in that time, and what clients sent then has
 *   yet to be read, so it counts for nobody.
 */
export const sweep = (sessions: Iterable<Session>, config: GatewayConfig, now: number, slept: number): void => {
  const silence = config.heartbeatIntervalMs * config.heartbeatTolerance;
  for (const session of sessions) {
    session.seenAt = Math.min(now, session.seenAt + slept);
    const age = now - session.seenAt;
    if (session.phase === Phase.closed) {
      // A peer that has stopped reading never sees the close frame.
      if (age > config.closeGraceMs) session.link.terminate();
    } else if (session.phase === Phase.fresh) {
      if (age > config.identifyTimeoutMs) session.close(Closings.identifyInTime);
    } else if (age > silence) session.drop(Closings.noHeartbeat);
  }
};
