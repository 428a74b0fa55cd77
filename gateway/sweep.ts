/** One timer that looks all sessions over for who never identified, stopped beating, or does not close. */
import { Closings } from './closing.ts';
import type { GatewayConfig } from './config.ts';
import { Phase, type Session } from './session.ts';

/** @param now milliseconds since 1970. */
export const sweep = (sessions: Iterable<Session>, config: GatewayConfig, now: number): void => {
  const silence = config.heartbeatIntervalMs * config.heartbeatTolerance;
  for (const session of sessions) {
    const age = now - session.seenAt;
    if (session.phase === Phase.closed) {
      // A peer that has stopped reading never sees the close frame.
      if (age > config.closeGraceMs) session.ws.terminate();
    } else if (session.phase === Phase.fresh) {
      if (age > config.identifyTimeoutMs) session.close(Closings.identifyInTime);
    } else if (age > silence) session.drop(Closings.noHeartbeat);
  }
};
