/** Counts what a socket sends in one window of time after another. */
export class FixedWindow {
  /** When the present window began, in monotonic milliseconds. */
  since: number;
  private count = 0;

  constructor(now: number) {
    this.since = now;
  }

  /** @returns how many there are in the window, this one included */
  add(now: number, windowMs: number): number {
    if (now - this.since >= windowMs) {
      this.since = now;
      this.count = 0;
    }
    this.count += 1;
    return this.count;
  }
}
