/** Bounds how much of one kind of work runs at once, so that nobody's share crowds out the others'. */

import { Quota } from '../schemas/quota.ts';

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

type Start = () => void;

/** What exceeds the limits waits. Addresses take turns, and so do the people of one address. */
export class FairQueue {
  private readonly atOnce: number;
  /** What waits, by address and then by person, each in the order of their next turns. */
  private readonly waiting = new Map<string, Map<string, Start[]>>();
  private readonly ofPerson: Quota;
  private readonly ofAddress: Quota;
  private running = 0;

  constructor({ atOnce, perPerson, perAddress }: QueueLimits) {
    this.atOnce = atOnce;
    this.ofPerson = new Quota(atOnce, perPerson);
    this.ofAddress = new Quota(atOnce, perAddress);
  }

  async run<T>(caller: Caller, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.add(caller, start);
      this.startNext();
    });
    try {
      return await work();
    } finally {
      this.running -= 1;
      this.ofPerson.giveBack(caller.userId);
      this.ofAddress.giveBack(caller.address);
      this.startNext();
    }
  }

  private add({ address, userId }: Caller, start: Start): void {
    const people = this.waiting.get(address) ?? new Map<string, Start[]>();
    this.waiting.set(address, people);
    const starts = people.get(userId);
    if (starts === undefined) people.set(userId, [start]);
    else starts.push(start);
  }

  private startNext(): void {
    while (this.running < this.atOnce) {
      const start = this.next();
      if (start === undefined) return;
      this.running += 1;
      start();
    }
  }

  private next(): Start | undefined {
    for (const [address, people] of this.waiting) {
      if (!this.ofAddress.take(address)) continue;
      for (const [userId, starts] of people) {
        if (!this.ofPerson.take(userId)) continue;
        const start = starts.shift()!;
        toTheEnd(people, userId, starts.length);
        toTheEnd(this.waiting, address, people.size);
        return start;
      }
      this.ofAddress.giveBack(address);
    }
    return undefined;
  }
}

/** Gives an entry the last turn, or removes it when nothing is left of it. */
const toTheEnd = <V>(turns: Map<string, V>, key: string, left: number): void => {
  const value = turns.get(key)!;
  turns.delete(key);
  if (left > 0) turns.set(key, value);
};
