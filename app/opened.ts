/** What a process has opened so far, so that all of it can be closed again. */

export class Opened {
  private readonly closing: (() => Promise<unknown> | unknown)[] = [];

  add<T>(thing: T, close: (thing: T) => Promise<unknown> | unknown): T {
    this.closing.push(() => close(thing));
    return thing;
  }

  /** Closes everything in reverse order of opening. */
  async close(): Promise<void> {
    for (const close of this.closing.splice(0).reverse()) await close();
  }
}
