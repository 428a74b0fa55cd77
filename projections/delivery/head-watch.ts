/** What the log's head was a while ago: by now every partition should have got there. */

interface Look {
  readonly at: number;
  readonly head: number;
}

export class HeadWatch {
  private readonly graceMs: number;
  private looks: Look[] = [];

  /** @param graceMs how long an event may be on its way before it counts as missing */
  constructor(graceMs: number) {
    this.graceMs = graceMs;
  }

  /** @param at when the log had answered, in milliseconds of a clock that never goes back */
  seen(head: number, at: number): void {
    this.looks.push({ at, head });
    while (this.looks.length > 1 && this.looks[1]!.at <= at - this.graceMs) this.looks.shift();
  }

  /** Through here nothing may be on its way any more; 0 when that is not known yet. */
  due(now: number): number {
    const settled = this.looks.findLast((look) => look.at <= now - this.graceMs);
    return settled?.head ?? 0;
  }
}
