/** Idempotency keys a stream remembers: those of the last ten minutes of event time, and at least the last 1,000. */

export const REMEMBERED_MS = 10 * 60_000;
export const REMEMBERED_COUNT = 1000;

interface Remembered {
  readonly sequence: number;
  readonly time: number;
}

/**
 * Columns instead of one object per key, since a cold channel waits for this to be parsed. The i-th key
 * is `prefixes[prefix[i]] + rest[i]`; sequences and times are differences from the previous one.
 */
export interface RecentKeysJson {
  readonly prefixes: readonly string[];
  readonly prefix: readonly number[];
  readonly rest: readonly string[];
  readonly sequence: readonly number[];
  readonly time: readonly number[];
}

/** The key of a command. Same author, kind of command and client id on one stream means the same command. */
export const idempotencyKey = (author: string, kind: string, clientId: string): string =>
  `${author}:${kind}:${clientId}`;

export class RecentKeys {
  // Insertion order is event order, so the oldest comes first.
  private readonly bySequence = new Map<string, Remembered>();
  private readonly before: RecentKeys | undefined;
  /** The key remembered last. The next event may belong to the same command. */
  private last: string | undefined;

  /** @param before older keys, which stay unchanged until these are adopted */
  constructor(before?: RecentKeys) {
    this.before = before;
    this.last = before?.last;
  }

  /** Sequence of the event that carried the key; of the first one if a command made several. */
  sequenceOf(key: string): number | undefined {
    return this.bySequence.get(key)?.sequence ?? this.before?.sequenceOf(key);
  }

  has(key: string): boolean {
    return this.sequenceOf(key) !== undefined;
  }

  /** Merges these keys into the older ones. */
  adopted(): RecentKeys {
    if (this.before === undefined) return this;
    for (const [key, { sequence, time }] of this.bySequence) this.before.remember(key, sequence, time);
    this.before.last = this.last;
    return this.before;
  }

  /** The events of one command stand in a row, and its key stays with the first of them. */
  remember(key: string, sequence: number, time: number): void {
    if (key === this.last) return;
    this.last = key;
    this.bySequence.set(key, { sequence, time });
    if (this.before !== undefined || this.bySequence.size <= REMEMBERED_COUNT) return;
    for (const [oldest, { time: then }] of this.bySequence) {
      // Imported events can be older than their channel, so the distance counts, not the order.
      if (this.bySequence.size <= REMEMBERED_COUNT || Math.abs(time - then) < REMEMBERED_MS) return;
      this.bySequence.delete(oldest);
    }
  }

  toJson(): RecentKeysJson {
    const numbers = new Map<string, number>();
    const json = { prefix: [] as number[], rest: [] as string[], sequence: [] as number[], time: [] as number[] };
    let [formerSequence, formerTime] = [0, 0];
    for (const [key, { sequence, time }] of this.bySequence) {
      // Author and kind of command: many keys share this prefix.
      const end = key.lastIndexOf(':') + 1;
      const prefix = key.slice(0, end);
      let number = numbers.get(prefix);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(prefix, number);
      }
      json.prefix.push(number);
      json.rest.push(key.slice(end));
      json.sequence.push(sequence - formerSequence);
      json.time.push(time - formerTime);
      formerSequence = sequence;
      formerTime = time;
    }
    return { prefixes: [...numbers.keys()], ...json };
  }

  static fromJson(json: RecentKeysJson): RecentKeys {
    const keys = new RecentKeys();
    let [sequence, time] = [0, 0];
    for (let i = 0; i < json.rest.length; i += 1) {
      sequence += json.sequence[i]!;
      time += json.time[i]!;
      keys.last = json.prefixes[json.prefix[i]!]! + json.rest[i]!;
      keys.bySequence.set(keys.last, { sequence, time });
    }
    return keys;
  }
}
