/** How many of something there are at once, in all and for each key: what would be more is refused. */
export class Quota {
  private readonly most: number;
  private readonly mostOfKey: number;
  private readonly taken = new Map<string, number>();
  private all = 0;

  constructor(most: number, mostOfKey: number) {
    this.most = most;
    this.mostOfKey = mostOfKey;
  }

  /** Whether there is room for one more. */
  hasRoom(key: string): boolean {
    return this.all < this.most && (this.taken.get(key) ?? 0) < this.mostOfKey;
  }

  /** @returns whether there was room for one more; it then counts until it is given back */
  take(key: string): boolean {
    if (!this.hasRoom(key)) return false;
    this.taken.set(key, (this.taken.get(key) ?? 0) + 1);
    this.all += 1;
    return true;
  }

  giveBack(key: string): void {
    const left = this.taken.get(key)! - 1;
    if (left === 0) this.taken.delete(key);
    else this.taken.set(key, left);
    this.all -= 1;
  }
}
