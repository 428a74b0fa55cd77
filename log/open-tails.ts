/** The tails that are running, so that a log can end them before it closes. */
import type { Tail } from './port.ts';

export class OpenTails {
  private readonly wake: () => void;
  private readonly tails = new Set<Tail>();

  /** @param wake lets a tail that waits for more notice that it is to stop */
  constructor(wake: () => void = () => {}) {
    this.wake = wake;
  }

  add(tail: Tail): Tail {
    const handle: Tail = {
      stop: async () => {
        this.tails.delete(handle);
        const stopped = tail.stop();
        this.wake();
        await stopped;
      },
    };
    this.tails.add(handle);
    return handle;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.tails].map((tail) => tail.stop()));
  }
}
