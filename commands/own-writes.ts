/** A person's next request sees that person's acknowledged writes. */
import { LRUCache } from 'lru-cache';
import type { Views } from '../projections/port.ts';

interface Written {
  /** Position of the last write of any kind, and of the last that changed who is where. */
  readonly any: number;
  readonly structural: number;
}

/** How long a request waits for the views before it is told to come again. */
const OWN_WRITES_WAIT_MS = 5000;

export class OwnWrites {
  private readonly views: Pick<Views, 'checkpoint' | 'whenProcessed'>;
  private readonly written = new LRUCache<string, Written>({ max: 100_000 });

  constructor(views: Pick<Views, 'checkpoint' | 'whenProcessed'>) {
    this.views = views;
  }

  record(userId: string, position: number, structural: boolean): void {
    const former = this.written.get(userId);
    this.written.set(userId, {
      any: Math.max(former?.any ?? 0, position),
      structural: Math.max(former?.structural ?? 0, structural ? position : 0),
    });
  }

  /** For queries: true once the views hold everything the user was told is done. */
  seen(userId: string): Promise<boolean> | true {
    return this.reached(this.written.get(userId)?.any ?? 0);
  }

  /** For commands, which take messages from the log but rights from the views. */
  structureSeen(userId: string): Promise<boolean> | true {
    return this.reached(this.written.get(userId)?.structural ?? 0);
  }

  private reached(position: number): Promise<boolean> | true {
    return position <= this.views.checkpoint() || this.views.whenProcessed(position, OWN_WRITES_WAIT_MS);
  }
}
