/** Turns at what only a few may do at once. Whoever waits does so behind those of the same key; keys take turns. */

export interface TurnOptions {
  /** How many have their turn at once. */
  readonly atOnce: number;
  /** Most that wait, in all and of one key. */
  readonly waiting: number;
  readonly waitingOfKey: number;
}

interface Waiting {
  readonly isGone: () => boolean;
  /** Called with whether it is its turn. */
  readonly call: (turn: boolean) => void;
}

export class Turns {
  private readonly options: TurnOptions;
  /** In the order in which the keys come to their turn. */
  private readonly waiting = new Map<string, Waiting[]>();
  private count = 0;
  private running = 0;

  constructor(options: TurnOptions) {
    this.options = options;
  }

  /**
   * Carries out `work` in its turn.
   * @param isGone whether nobody wants the result any more: then the turn is another's
   * @returns `undefined` if too many wait, or if the caller is gone by its turn
   */
  async take<T>(key: string, isGone: () => boolean, work: () => Promise<T>): Promise<T | undefined> {
    if (this.running < this.options.atOnce) this.running += 1;
    else if (!(await this.comes(key, isGone))) return undefined;
    try {
      return await work();
    } finally {
      if (!this.callNext()) this.running -= 1;
    }
  }

  private comes(key: string, isGone: () => boolean): Promise<boolean> {
    if (!this.hasRoom(key)) {
      this.leaveOutTheGone();
      if (!this.hasRoom(key)) return Promise.resolve(false);
    }
    return new Promise((call) => {
      const ofKey = this.waiting.get(key) ?? [];
      ofKey.push({ isGone, call });
      this.waiting.set(key, ofKey);
      this.count += 1;
    });
  }

  private hasRoom(key: string): boolean {
    const { waiting, waitingOfKey } = this.options;
    return this.count < waiting && (this.waiting.get(key)?.length ?? 0) < waitingOfKey;
  }

  private leaveOutTheGone(): void {
    for (const [key, all] of this.waiting) {
      const left = all.filter(({ isGone }) => !isGone());
      for (const one of all) if (!left.includes(one)) one.call(false);
      this.count -= all.length - left.length;
      if (left.length === 0) this.waiting.delete(key);
      else this.waiting.set(key, left);
    }
  }

  /** @returns whether somebody has taken over the turn */
  private callNext(): boolean {
    for (;;) {
      const next = this.waiting.entries().next().value;
      if (next === undefined) return false;
      const [key, all] = next;
      const { isGone, call } = all.shift()!;
      this.count -= 1;
      this.waiting.delete(key);
      if (all.length > 0) this.waiting.set(key, all);
      const gone = isGone();
      call(!gone);
      if (!gone) return true;
    }
  }
}
