/**
 * One request for all who want the same kind of thing: what is wanted while one is on its way goes with the next. Partitions
 * are followed side by side and store small batches at the same moments, and those whose commands were stored by one commit
 * are answered at the same moment, so most of their requests can be shared.
 */
export class Together<Wanted, Answer> {
  private readonly ask: (wanted: readonly Wanted[]) => Promise<Answer>;
  private waiting: Wanted[] = [];
  private next: Promise<Answer> | undefined;
  private current: Promise<unknown> = Promise.resolve();

  constructor(ask: (wanted: readonly Wanted[]) => Promise<Answer>) {
    this.ask = ask;
  }

  /** Resolves or rejects with all that it went with; asked for after this call. */
  with(one: Wanted): Promise<Answer> {
    this.waiting.push(one);
    this.next ??= this.afterCurrent();
    return this.next;
  }

  private async afterCurrent(): Promise<Answer> {
    await this.current.catch(() => {});
    const wanted = this.waiting;
    this.waiting = [];
    this.next = undefined;
    const answer = this.ask(wanted);
    this.current = answer;
    return answer;
  }
}
