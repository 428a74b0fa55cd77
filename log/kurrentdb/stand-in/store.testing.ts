/** The state of the stand-in for KurrentDB: streams, and records in one order whose positions are offsets in a file. */

export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface StoredRecord extends Proposed {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
}

/** Revision the stream is expected to have; -1 if it must not exist. */
export type Expected = number | 'any' | 'exists';

export type Outcome =
  | { readonly kind: 'stored'; readonly last: StoredRecord; readonly repeated: boolean }
  /** `current` is the revision of the stream, -1 if it does not exist. */
  | { readonly kind: 'wrong expected version'; readonly current: number };

const BEGINNING = 1_000;
const OVERHEAD = 70;

export class RecordStore {
  readonly all: StoredRecord[] = [];
  private readonly streams = new Map<string, StoredRecord[]>();
  private readonly listeners = new Set<() => void>();
  /** Position of the next record. */
  end = BEGINNING;

  constructor() {
    this.system('$users', '$user-created');
  }

  of(stream: string): readonly StoredRecord[] | undefined {
    return this.streams.get(stream);
  }

  /**
   * Decides as the server does. With an expected revision, events with the same ids at the same places are a
   * repetition: nothing is stored, whatever their data. With "any", the server looks for ids in a memory that a restart
   * empties; the stand-in has none.
   */
  append(stream: string, expected: Expected, events: readonly Proposed[]): Outcome {
    const there = this.streams.get(stream) ?? [];
    const current = there.length - 1;
    if (expected === 'exists' && current < 0) return { kind: 'wrong expected version', current };
    if (typeof expected === 'number' && expected !== current) {
      const same = expected < current && events.every(({ id }, i) => there[expected + 1 + i]?.id === id);
      return same
        ? { kind: 'stored', last: there[expected + events.length]!, repeated: true }
        : { kind: 'wrong expected version', current };
    }
    for (const event of events) this.write(stream, there, event);
    this.streams.set(stream, there);
    for (const listener of this.listeners) listener();
    return { kind: 'stored', last: there.at(-1)!, repeated: false };
  }

  /** The server may write events of its own at any time. */
  system(stream = '$stats-127.0.0.1:2113', type = '$statsCollected'): void {
    const data = new TextEncoder().encode('{"proc":{}}');
    const event = { id: crypto.randomUUID(), type, contentType: 'application/json', data, metadata: new Uint8Array() };
    this.append(stream, 'any', [event]);
  }

  /** Index of the first record at or after a position, or `undefined` if no record begins at that position. */
  indexOf(position: number): number | undefined {
    if (position >= this.end) return this.all.length;
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.all[middle]!.position < position) low = middle + 1;
      else high = middle;
    }
    return this.all[low]?.position === position ? low : undefined;
  }

  /** @returns how to stop listening */
  onAppended(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private write(stream: string, there: StoredRecord[], event: Proposed): void {
    const record = { ...event, position: this.end, stream, revision: there.length };
    this.end += OVERHEAD + stream.length + event.type.length + event.data.length + event.metadata.length;
    there.push(record);
    this.all.push(record);
  }
}
