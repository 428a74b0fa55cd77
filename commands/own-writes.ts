/** Lets a user's next request see that user's acknowledged writes, on whichever node it arrives, and what was delivered. */

import type { SharedWrites } from '../coordination/port.ts';
import type { Read, Views } from '../projections/port.ts';
import { lru } from '../schemas/lru.ts';
import type { Soon } from '../schemas/soon.ts';

interface Written {
  /** Position of the last write of any kind, and of the last that changed membership or channels. */
  any: number;
  structural: number;
}

/** How long a request waits for the views before it is refused with a time to retry. */
export const OWN_WRITES_WAIT_MS = 5000;

export class OwnWrites {
  private readonly views: Pick<Views, 'progress'>;
  private readonly shared: SharedWrites;
  private readonly holdDelivered: () => Promise<unknown> | undefined;
  private readonly written = lru<string, Written>(100_000);

  constructor(
    views: Pick<Views, 'progress'>,
    shared: SharedWrites,
    holdDelivered: () => Promise<unknown> | undefined = () => undefined,
  ) {
    this.views = views;
    this.shared = shared;
    this.holdDelivered = holdDelivered;
  }

  /** Must be awaited before the write is acknowledged. */
  record(userId: string, position: number, structural: boolean): Soon<void> {
    const known = this.written.get(userId);
    const written = known ?? { any: 0, structural: 0 };
    written.any = Math.max(written.any, position);
    if (structural) written.structural = Math.max(written.structural, position);
    if (known === undefined) this.written.set(userId, written);
    return this.shared.record(userId, position);
  }

  /** For queries: true once the views they read hold every acknowledged write of the user. */
  async seen(userId: string, reads: readonly Read[]): Promise<boolean> {
    const here = this.written.get(userId)?.any ?? 0;
    const position = Math.max(here, await this.shared.of(userId));
    await this.holdDelivered();
    for (const view of reads) if (!(await this.reached(view, position))) return false;
    return true;
  }

  /**
   * For commands, which take messages from the log but rights from the views. Other nodes need not be asked: a write
   * that changes rights is acknowledged only when the views hold it.
   */
  structureSeen(userId: string): Soon<boolean> {
    return this.reached('guild-views', this.written.get(userId)?.structural ?? 0);
  }

  private reached(view: Read, position: number): Soon<boolean> {
    const progress = this.views.progress(view);
    return position <= progress.checkpoint() || progress.whenProcessed(position, OWN_WRITES_WAIT_MS);
  }
}
