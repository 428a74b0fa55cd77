/**
 * Idempotency keys a stream remembers: the last 1,000, and those of the last ten minutes of event time as far as they take
 * no more than `REMEMBERED_BYTES`.
 */

export const REMEMBERED_MS = 10 * 60_000;
export const REMEMBERED_COUNT = 1000;
/** Most time that passes from one key to the next. */
const MOST_AT_ONCE_MS = 60_000;
/** In memory. Some 50,000 keys of usual length: 80 commands a second for ten minutes. */
export const REMEMBERED_BYTES = 8_388_608;

/** Of an entry of the map, its place in the order and its time. */
const ENTRY_BYTES = 72;

/** Two bytes a character, as any character beyond Latin-1 makes it. */
const bytesOf = (key: string): number => ENTRY_BYTES + 2 * key.length;

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
  /** Absent in states of former versions, whose times are those of the events. */
  readonly highest?: number;
  /** The key remembered last, where it is not at the end: it came again, and kept its place. */
  readonly last?: string;
}

/** The key of a command. Same author, kind of command and client id on one stream means the same command. */
export const idempotencyKey = (author: string, kind: string, clientId: string): string =>
  `${author}:${kind}:${clientId}`;

/**
 * The key of a message by its nonce. No kind of command is called like that, so a nonce is never taken for a client id that
 * reads the same.
 */
export const nonceKey = (author: string, nonce: string | number): string => `${author}:nonce:${nonce}`;

/** After the kind of command, which never ends like that. */
const CONTENT = /^([^:]*:[^:~]*)~([\w-]{11})(?=:)/;

/**
 * A key as events carry it: with a fingerprint of what the command asked for, by which a repeat is told from another command.
 * Only a stored key has one. A key that is asked for is the rest.
 * @param content 11 characters of base64url
 */
export const withContent = (key: string, content: string): string => {
  const kind = key.indexOf(':') + 1;
  if (kind === 0) return key;
  const end = key.indexOf(':', kind);
  // A tenth of the time that a regular expression takes, for every command.
  return end < 0 ? `${key}~${content}` : `${key.slice(0, end)}~${content}${key.slice(end)}`;
};

/** The fingerprint in a stored key. Keys of former versions, of processes and of imports have none. */
export const contentOf = (stored: string | null): string | undefined => stored?.match(CONTENT)?.[2];

const CONTENT_LENGTH = 11;
const CONTENT_HERE = /[\w-]{11}:/y;

/** A stored key without its fingerprint. */
export const withoutContent = (stored: string): string => {
  const kind = stored.indexOf(':') + 1;
  const mark = stored.indexOf('~', kind);
  if (kind === 0 || mark < 0 || mark > stored.indexOf(':', kind)) return stored;
  CONTENT_HERE.lastIndex = mark + 1;
  if (!CONTENT_HERE.test(stored)) return stored;
  return stored.slice(0, mark) + stored.slice(mark + 1 + CONTENT_LENGTH);
};

export class RecentKeys {
  // Numbers beside the map instead of an object per key: a busy channel keeps tens of thousands.
  private readonly sequences = new Map<string, number>();
  /** The keys, oldest first, from `forgotten` on. Finding a map's first key passes over all that were deleted before. */
  private order: string[] = [];
  /** When they were remembered: see `tick`. */
  private times: number[] = [];
  /** The highest time of an event. */
  private highest = Number.NEGATIVE_INFINITY;
  private forgotten = 0;
  private held = 0;
  private readonly before: RecentKeys | undefined;
  /** The key remembered last. The next event may belong to the same command. */
  private last: string | undefined;
  /** The key not found last: a command looks for its own more than once. It is no part of the state. */
  #unknown: string | undefined;

  /** @param before older keys, which stay unchanged until these are adopted */
  constructor(before?: RecentKeys) {
    this.before = before;
    this.last = before?.last;
  }

  /** Approximate bytes in memory. */
  get bytes(): number {
    return this.held + (this.before?.bytes ?? 0);
  }

  /** Whether a key may be forgotten by now. */
  get forgets(): boolean {
    return this.sequences.size >= REMEMBERED_COUNT || this.before?.forgets === true;
  }

  /** Sequence of the event that carried the key; of the first one if a command made several. */
  sequenceOf(key: string): number | undefined {
    if (key === this.#unknown) return undefined;
    const sequence = this.sequences.get(key) ?? this.before?.sequenceOf(key);
    if (sequence === undefined) this.#unknown = key;
    return sequence;
  }

  has(key: string): boolean {
    return this.sequenceOf(key) !== undefined;
  }

  /** Merges these keys into the older ones. */
  adopted(): RecentKeys {
    if (this.before === undefined) return this;
    for (let i = this.forgotten; i < this.order.length; i += 1) {
      const key = this.order[i]!;
      this.before.remember(key, this.sequences.get(key)!, this.times[i]!);
    }
    this.before.last = this.last;
    return this.before;
  }

  /**
   * The events of one command stand in a row, and its key stays with the first of them.
   * @param stored the key as the event carries it
   * @param second another key of the same event
   */
  remember(stored: string, sequence: number, time: number, second?: string): void {
    const key = withoutContent(stored);
    if (key === this.last) return;
    this.last = key;
    // The command's own key comes last, as in JSON the last is the last command's.
    if (second !== undefined && second !== key) this.put(second, sequence, time);
    this.put(key, sequence, time);
    if (this.before === undefined) this.forget();
  }

  private put(key: string, sequence: number, time: number): void {
    this.#unknown = undefined;
    const { size } = this.sequences;
    this.sequences.set(key, sequence);
    // A key that comes again keeps its place, and so its time.
    if (this.sequences.size > size) {
      this.order.push(key);
      this.times.push(this.before === undefined ? this.tick(time) : time);
      this.held += bytesOf(key);
    }
  }

  /**
   * Time passes as the events' times grow. It never goes back, and it moves by a minute at most from one key to the next:
   * imported events are old, the clocks of nodes differ, and a clock may jump by days. So a key may be kept longer than ten
   * minutes, but not forgotten sooner.
   */
  private tick(time: number): number {
    const former = this.times.at(-1);
    const passed = Math.min(Math.max(0, time - this.highest), MOST_AT_ONCE_MS);
    this.highest = Math.max(this.highest, time);
    return former === undefined ? time : former + passed;
  }

  private forget(): void {
    const now = this.times.at(-1);
    if (now === undefined) return;
    while (this.sequences.size > REMEMBERED_COUNT) {
      const isRecent = now - this.times[this.forgotten]! < REMEMBERED_MS;
      if (isRecent && this.held <= REMEMBERED_BYTES) break;
      const oldest = this.order[this.forgotten]!;
      this.sequences.delete(oldest);
      this.held -= bytesOf(oldest);
      this.forgotten += 1;
    }
    if (this.forgotten <= this.sequences.size) return;
    this.order = this.order.slice(this.forgotten);
    this.times = this.times.slice(this.forgotten);
    this.forgotten = 0;
  }

  toJson(): RecentKeysJson {
    const numbers = new Map<string, number>();
    const json = { prefix: [] as number[], rest: [] as string[], sequence: [] as number[], time: [] as number[] };
    let [formerSequence, formerTime] = [0, 0];
    for (let i = this.forgotten; i < this.order.length; i += 1) {
      const key = this.order[i]!;
      const sequence = this.sequences.get(key)!;
      const time = this.times[i]!;
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
    const highest = Number.isFinite(this.highest) ? { highest: this.highest } : {};
    const last = this.last === undefined || this.last === this.order.at(-1) ? {} : { last: this.last };
    return { prefixes: [...numbers.keys()], ...json, ...highest, ...last };
  }

  static fromJson(json: RecentKeysJson): RecentKeys {
    const keys = new RecentKeys();
    let [sequence, time] = [0, 0];
    for (let i = 0; i < json.rest.length; i += 1) {
      sequence += json.sequence[i]!;
      time += json.time[i]!;
      keys.last = json.prefixes[json.prefix[i]!]! + json.rest[i]!;
      keys.sequences.set(keys.last, sequence);
      keys.order.push(keys.last);
      keys.times.push(time);
      keys.held += bytesOf(keys.last);
      keys.highest = Math.max(keys.highest, time);
    }
    keys.highest = json.highest ?? keys.highest;
    keys.last = json.last ?? keys.last;
    return keys;
  }
}

type WithKeysAsJson<State> = Omit<State, 'keys'> & { readonly keys: RecentKeysJson };

/** How a fold stores a state that is JSON but for its keys. */
export const storedWithKeys = <State extends { readonly keys: RecentKeys }>() => ({
  toJson: (state: State): WithKeysAsJson<State> => ({ ...state, keys: state.keys.toJson() }),
  fromJson: (json: unknown): State => {
    const { keys, ...rest } = json as WithKeysAsJson<State>;
    return { ...rest, keys: RecentKeys.fromJson(keys) } as unknown as State;
  },
});
