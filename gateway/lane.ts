/** Sessions that are written to in turns. Sockets with a pace of their own have a lane each, so that none waits for another. */

import { FrameTree } from './frame-tree.ts';
import type { Pace } from './link.ts';

/** The sockets of this process: a write is done when it returns. */
const AT_ONCE: Pace = { soon: setImmediate, flushed: () => {} };

export class Lane<S> {
  readonly pace: Pace;
  root = FrameTree.root();
  /** Live sessions with waiting frames, in the order of their first frame. */
  waiting: S[] = [];
  flushing: S[] = [];
  /** How many of those have been written to. */
  at = 0;
  scheduled = false;
  /** Delivery has waited for it for long enough, and goes on without it until it has caught up. */
  isLate = false;
  private whenCaughtUp: (() => void)[] = [];

  constructor(pace = AT_ONCE) {
    this.pace = pace;
  }

  /** Resolves when what waits now is being written. */
  untilCaughtUp(): Promise<void> {
    return new Promise((resolve) => this.whenCaughtUp.push(resolve));
  }

  caughtUp(): void {
    this.isLate = false;
    const resume = this.whenCaughtUp;
    this.whenCaughtUp = [];
    for (const each of resume) each();
  }
}
