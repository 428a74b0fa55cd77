/** Order among the commands of one caller, whatever streams they are on: the later ones wait for one that holds them up. */
export class CallerOrder {
  /** The end of everybody's last command under way that holds up the later ones. */
  private readonly holding = new Map<string, Promise<void>>();

  /** What the caller's next command must wait for. */
  before(userId: string): Promise<void> | undefined {
    return this.holding.get(userId);
  }

  /** The caller's later commands wait from now on. @returns how to let them go on */
  holdUp(userId: string): () => void {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.holding.set(userId, ended);
    return () => {
      if (this.holding.get(userId) === ended) this.holding.delete(userId);
      end();
    };
  }
}
