/** Wakes the tails that have seen everything. */
export class Bell {
  #ring: () => void = () => {};
  #rung = new Promise<void>((resolve) => {
    this.#ring = resolve;
  });

  ring(): void {
    this.#ring();
    this.#rung = new Promise((resolve) => {
      this.#ring = resolve;
    });
  }

  wait(): Promise<void> {
    return this.#rung;
  }
}
