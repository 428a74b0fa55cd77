/** Idempotency keys a stream remembers: at least ten minutes of event time and the last 1,000. */

export const REMEMBERED_MS = 10 * 60_000;
export const REMEMBERED_COUNT = 1000;

interface Remembered {
  readonly sequence: number;
  readonly time: number;
}

export type RecentKeysJson = readonly (readonly [key: string, sequence: number, time: number])[];

/** The key of a command: the same client id of the same author for the same kind of command on the same stream is the same command. */
export const idempotencyKey = (author: string, kind: string, clientId: string): string =>
  `${author}:${kind}:${clientId}`;

export class RecentKeys {
  // Insertion order is event order, so the oldest comes first.
  private readonly bySequence = new Map<string, Remembered>();

  /** Sequence of the event that carried the key. */
  sequenceOf(key: string): number | undefined {
    return this.bySequence.get(key)?.sequence;
  }

  has(key: string): boolean {
    return this.bySequence.has(key);
  }

  remember(key: string, sequence: number, time: number): void {
    this.bySequence.set(key, { sequence, time });
    if (this.bySequence.size <= REMEMBERED_COUNT) return;
    for (const [oldest, { time: then }] of this.bySequence) {
      // Imported events are older than the channel they are put into, so the distance counts, not the order.
      if (this.bySequence.size <= REMEMBERED_COUNT || Math.abs(time - then) < REMEMBERED_MS) return;
      this.bySequence.delete(oldest);
    }
  }

  toJson(): RecentKeysJson {
    return [...this.bySequence].map(([key, { sequence, time }]) => [key, sequence, time] as const);
  }

  static fromJson(json: RecentKeysJson): RecentKeys {
    const keys = new RecentKeys();
    for (const [key, sequence, time] of json) keys.bySequence.set(key, { sequence, time });
    return keys;
  }
}
