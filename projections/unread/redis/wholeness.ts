/** Whether a store can be believed: one that was emptied counts too little until it is filled again. */
import { StoreUnavailable } from '../../unavailable.ts';
import type { Standing } from './writer.ts';

const RETRY_SECONDS = 1;

/** Holds less than is known to have been there, or is still being filled. */
export class NotWhole extends StoreUnavailable {
  constructor() {
    super('unread', RETRY_SECONDS);
  }
}

export class Wholeness {
  /** The furthest each partition was ever seen to stand. */
  private readonly seen = new Map<number, number>();

  /** @throws NotWhole */
  check(partition: number, { through, whole }: Standing): void {
    const seen = this.seen.get(partition) ?? 0;
    if (through > seen) this.seen.set(partition, through);
    // 0: nothing was ever stored, or nothing is left of it.
    if (through === 0 || through < whole || through < seen) throw new NotWhole();
  }
}
