/** Frames of Parley's own opcodes that are refused, or ask for nothing: accepted commands have limits of their own. */

import type { Clock } from '../schemas/clock.ts';
import type { GatewayConfig } from './config.ts';
import type { Session } from './session.ts';

export class Refusals {
  private readonly budget: GatewayConfig['refusedBudget'];
  private readonly clock: Clock;

  constructor(budget: GatewayConfig['refusedBudget'], clock: Clock) {
    this.budget = budget;
    this.clock = clock;
  }

  /** Beyond its budget, a socket is not read until its window is over: nothing is lost, and nobody else is held up. */
  count(session: Session): void {
    if (this.budget === undefined) return;
    const { count, windowMs } = this.budget;
    const now = this.clock.monotonic();
    if (session.refused.add(now, windowMs) !== count + 1) return;
    session.link.pause();
    this.clock.setTimer(session.refused.since + windowMs - now, () => session.link.resume());
  }
}
