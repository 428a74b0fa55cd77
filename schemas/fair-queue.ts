/** Bounds how much of one kind of work runs at once, so that nobody's share crowds out the others'. */

import { Quota } from './quota.ts';

export interface Caller {
  /** As `addressKey` gives it. */
  readonly address: string;
  /** Absent where nobody has signed in yet. */
  readonly userId?: string;
  /** Whether nobody wants the result any more. */
  readonly isGone?: () => boolean;
}

export interface QueueLimits {
  /** Most work under way, of everybody together. */
  readonly atOnce: number;
  /** Most of it of one person, and from one address. */
  readonly perPerson?: number;
  readonly perAddress?: number;
  /** Most that waits, of everybody together, from one address and of one person. */
  readonly waiting?: number;
  readonly waitingPerAddress?: number;
  readonly waitingPerPerson?: number;
}

/** Called with whether it is the caller's turn. */
type Call = (turn: boolean) => void;

interface Waiting {
  readonly isGone: () => boolean;
  readonly call: Call;
}

const present = () => false;

/** What exceeds the limits waits. Addresses take turns, and so do the people of one address. */
export class FairQueue {
  private readonly atOnce: number;
  /** What waits, by address and then by person, each in the order of their next turns. */
  private readonly waiting = new Map<string, Map<string, Waiting[]>>();
  private readonly places: Quota;
  private readonly placesOfPerson: Quota;
  private readonly ofPerson: Quota;
  private readonly ofAddress: Quota;
  private running = 0;

  constructor(limits: QueueLimits) {
    const { atOnce, perPerson = atOnce, perAddress = atOnce } = limits;
    const { waiting = Number.POSITIVE_INFINITY, waitingPerAddress = waiting, waitingPerPerson = waiting } = limits;
    this.atOnce = atOnce;
    this.places = new Quota(waiting, waitingPerAddress);
    this.placesOfPerson = new Quota(waiting, waitingPerPerson);
    this.ofPerson = new Quota(atOnce, perPerson);
    this.ofAddress = new Quota(atOnce, perAddress);
  }

  /**
   * Carries out `work` in the caller's turn.
   * @returns `undefined` if too many wait, or if the caller is gone by its turn
   */
  async run<T>({ address, userId = '', isGone = present }: Caller, work: () => Promise<T>): Promise<T | undefined> {
    if (!this.hasPlace(address, userId)) return undefined;
    const turn = await new Promise<boolean>((call) => {
      this.add(address, userId, { isGone, call });
      this.startNext();
    });
    if (!turn) return undefined;
    try {
      return isGone() ? undefined : await work();
    } finally {
      this.running -= 1;
      this.ofPerson.giveBack(userId);
      this.ofAddress.giveBack(address);
      this.startNext();
    }
  }

  private hasPlace(address: string, userId: string): boolean {
    if (this.takePlace(address, userId)) return true;
    this.sendTheGoneAway();
    return this.takePlace(address, userId);
  }

  private takePlace(address: string, userId: string): boolean {
    if (!this.places.take(address)) return false;
    if (this.placesOfPerson.take(userId)) return true;
    this.places.giveBack(address);
    return false;
  }

  private leavePlace(address: string, userId: string): void {
    this.places.giveBack(address);
    this.placesOfPerson.giveBack(userId);
  }

  private sendTheGoneAway(): void {
    for (const [address, people] of this.waiting) {
      for (const [userId, all] of people) {
        const left = all.filter(({ isGone }) => !isGone());
        for (const { isGone, call } of all) {
          if (!isGone()) continue;
          this.leavePlace(address, userId);
          call(false);
        }
        if (left.length > 0) people.set(userId, left);
        else people.delete(userId);
      }
      if (people.size === 0) this.waiting.delete(address);
    }
  }

  private add(address: string, userId: string, one: Waiting): void {
    const people = this.waiting.get(address) ?? new Map<string, Waiting[]>();
    this.waiting.set(address, people);
    const ofPerson = people.get(userId);
    if (ofPerson === undefined) people.set(userId, [one]);
    else ofPerson.push(one);
  }

  private startNext(): void {
    while (this.running < this.atOnce) {
      const call = this.next();
      if (call === undefined) return;
      this.running += 1;
      call(true);
    }
  }

  private next(): Call | undefined {
    for (const [address, people] of this.waiting) {
      if (!this.ofAddress.take(address)) continue;
      for (const [userId, all] of people) {
        if (!this.ofPerson.take(userId)) continue;
        const { call } = all.shift()!;
        this.leavePlace(address, userId);
        toTheEnd(people, userId, all.length);
        toTheEnd(this.waiting, address, people.size);
        return call;
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
