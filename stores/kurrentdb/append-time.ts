/** The time that one append has, from its request to its answer. */

import type { Clock } from '../../schemas/clock.ts';

export interface AppendTime {
  /** Aborts when nothing more is sent: what is sent just before the end would only leave a doubt. */
  readonly sending: AbortSignal;
  /** Aborts when the answer is due. */
  readonly waiting: AbortSignal;
}

/** Share of the time in which an answer is still waited for and nothing is sent. */
const LAST = 1 / 8;

/** @returns also how to end it early, without aborting anything */
export const startTime = (ms: number, clock: Clock): AppendTime & { readonly end: () => void } => {
  const sending = new AbortController();
  const waiting = new AbortController();
  const ends = [clock.setTimer(ms * (1 - LAST), () => sending.abort()), clock.setTimer(ms, () => waiting.abort())];
  const end = (): void => {
    for (const cancel of ends) cancel();
  };
  return { sending: sending.signal, waiting: waiting.signal, end };
};
