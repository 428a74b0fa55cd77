/** Sends everybody elsewhere before the process stops, spread out so that they do not all arrive at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { Closings } from './closing.ts';
import { RECONNECT } from './frames.ts';
import type { Outbox } from './outbox.ts';
import { Phase, type Session } from './session.ts';

const TICK_MS = 20;
const ANSWER_MS = 1_000;

/** Op 7, then 1012: told 1000, libraries would begin a new session instead of resuming. */
export const sendAway = (outbox: Outbox, session: Session): void => {
  if (session.phase === Phase.live) outbox.pushAlone(session, RECONNECT);
  else outbox.writeNow(session, RECONNECT);
  session.close(Closings.restarting);
};

/**
 * Resolves when every session has been told. Whose commands are under way is told last, and when they are answered,
 * which may take a second longer than `windowMs`.
 */
export const drainSessions = async (outbox: Outbox, sessions: readonly Session[], windowMs: number): Promise<void> => {
  const ticks = Math.max(1, Math.floor(windowMs / TICK_MS));
  const perTick = Math.ceil(sessions.length / ticks);
  const busy: Session[] = [];
  for (let at = 0; at < sessions.length; at += perTick) {
    for (const session of sessions.slice(at, at + perTick)) {
      if (session.commandsInFlight > 0) busy.push(session);
      else sendAway(outbox, session);
    }
    if (windowMs > 0 && at + perTick < sessions.length) await delay(TICK_MS);
  }
  for (let waited = 0; waited < ANSWER_MS && busy.some((session) => session.commandsInFlight > 0); waited += TICK_MS) {
    await delay(TICK_MS);
  }
  for (const session of busy) sendAway(outbox, session);
};
