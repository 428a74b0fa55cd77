/** Bounds how much of one kind of work runs at once, so that nobody's share crowds out the others'. */

export interface Caller {
  readonly userId: string;
  /** The peer's network address. */
  readonly address: string;
}

export interface QueueLimits {
  /** Most work under way, of everybody together, of one person, and from one address. */
  readonly atOnce: number;
  readonly perPerson: number;
  readonly perAddress: number;
}

interface Waiting {
  readonly keys: readonly [address: string, person: string];
  readonly start: () => void;
}

/** What is known of an address or a person while it has work that waits or runs. */
interface Share {
  /** Work that waits or runs. */
  present: number;
  running: number;
  /** When its work was last started, as a count of starts. */
  served: number;
}

/**
 * What exceeds the limits waits. Next comes the address whose work was started longest ago, among its people the one
 * whose work was, and of that the oldest.
 */
export class FairQueue {
  private readonly limits: QueueLimits;
  private readonly shares = new Map<string, Share>();
  private readonly waiting = new Set<Waiting>();
  private running = 0;
  private starts = 0;

  constructor(limits: QueueLimits) {
    this.limits = limits;
  }

  async run<T>({ userId, address }: Caller, work: () => Promise<T>): Promise<T> {
    const keys = [`a${address}`, `p${userId}`] as const;
    for (const key of keys) this.share(key).present += 1;
    await new Promise<void>((start) => {
      this.waiting.add({ keys, start });
      this.startNext();
    });
    try {
      return await work();
    } finally {
      this.ended(keys);
    }
  }

  private share(key: string): Share {
    let share = this.shares.get(key);
    if (share === undefined) {
      share = { present: 0, running: 0, served: 0 };
      this.shares.set(key, share);
    }
    return share;
  }

  private startNext(): void {
    while (this.running < this.limits.atOnce) {
      const next = this.next();
      if (next === undefined) return;
      this.waiting.delete(next);
      this.running += 1;
      this.starts += 1;
      for (const key of next.keys) {
        const share = this.share(key);
        share.running += 1;
        share.served = this.starts;
      }
      next.start();
    }
  }

  private next(): Waiting | undefined {
    const { perAddress, perPerson } = this.limits;
    let next: Waiting | undefined;
    let best: readonly [number, number] = [Number.POSITIVE_INFINITY, 0];
    for (const one of this.waiting) {
      const [address, person] = one.keys.map((key) => this.share(key)) as [Share, Share];
      if (address.running >= perAddress || person.running >= perPerson) continue;
      if (address.served > best[0] || (address.served === best[0] && person.served >= best[1])) continue;
      next = one;
      best = [address.served, person.served];
    }
    return next;
  }

  private ended(keys: Waiting['keys']): void {
    this.running -= 1;
    for (const key of keys) {
      const share = this.share(key);
      share.running -= 1;
      share.present -= 1;
      if (share.present === 0) this.shares.delete(key);
    }
    this.startNext();
  }
}
