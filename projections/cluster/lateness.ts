/** Whether a view is late: then what it does not hold yet is taken from the log, and nobody waits for it. */

import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import type { Progress } from '../engine/port.ts';

const { lateMs, lookMs } = BUDGETS.lateViews;

interface LatenessOptions {
  readonly view: Progress;
  /** Whether its store is gone, so that it cannot get any further. */
  readonly gone?: () => boolean;
  readonly clock: Clock;
}

export class Lateness {
  private readonly options: LatenessOptions;
  /** The highest position that somebody waited for in vain. */
  private missed = 0;

  constructor(options: LatenessOptions) {
    this.options = options;
  }

  /** Until the view holds what somebody waited for in vain. */
  get late(): boolean {
    return this.options.gone?.() === true || this.missed > this.options.view.checkpoint();
  }

  /** True once the view holds `position`; false as soon as it is late, or after `timeoutMs`. */
  async heldInTime(position: number, timeoutMs = lateMs): Promise<boolean> {
    const { view, gone, clock } = this.options;
    if (view.checkpoint() >= position) return true;
    const patience = Math.min(timeoutMs, lateMs);
    const until = clock.monotonic() + patience;
    for (let left = patience; left > 0 && !this.late; left = until - clock.monotonic())
      if (await view.whenProcessed(position, gone === undefined ? left : Math.min(left, lookMs))) return true;
    // Whoever is in a hurry does not prove that the view is late.
    if (timeoutMs >= lateMs && gone?.() !== true) this.missed = Math.max(this.missed, position);
    return false;
  }
}

/** The progress of a view whose readers take from the log what it does not hold while it is late. */
export const heldOrLate = (view: Progress, lateness: Lateness): Progress => ({
  checkpoint: () => view.checkpoint(),
  // A view may catch up just when the wait is over: then it is neither late nor held in time, but held.
  whenProcessed: async (position, timeoutMs) =>
    (await lateness.heldInTime(position, timeoutMs)) || lateness.late || view.checkpoint() >= position,
});
