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
  /** When it was stored, in seconds by the server's clock. */
  readonly created: number;
}

/** Revision the stream is expected to have; -1 if it must not exist. */
export type Expected = number | 'any' | 'exists';

export type Outcome =
  | { readonly kind: 'stored'; readonly last: StoredRecord; readonly repeated: boolean }
  /** `current` is the revision of the stream, -1 if it does not exist. */
  | { readonly kind: 'wrong expected version'; readonly current: number }
  | { readonly kind: 'stream deleted' };

/** What an operator may set for a stream. */
export interface StreamSettings {
  /** Only this many of the newest events are read (`$maxCount`). */
  readonly maxCount?: number;
  /** Events below this revision are not read (`$tb`). */
  readonly truncateBefore?: number;
  /** Events older than this many seconds are not read (`$maxAge`). */
  readonly maxAge?: number;
  /** What our user may not do with it, although it may do so with others (`$acl`). */
  readonly denied?: readonly ('read' | 'append')[];
}

interface Stream {
  /** Records not removed by scavenging, by revision. */
  records: StoredRecord[];
  /** Revision of the next record. */
  next: number;
  settings: StreamSettings;
  state: 'open' | 'soft deleted' | 'tombstoned';
}

/** Where a read begins, if it may begin there. */
export interface Place {
  /** Index of the first record at or after the position. */
  readonly index: number;
  /** Whether a record began at the position. Scavenging may have removed it. */
  readonly kind: 'record' | 'removed' | 'end';
}

const BEGINNING = 1_000;
const OVERHEAD = 70;

/** Whoever is named in an `$acl` has the right; nobody else but administrators does. */
const SOMEBODY = 'ops';

/** Revision of the first event that is shown. */
const hidden = (
  { settings: { truncateBefore, maxCount, maxAge }, state, next, records }: Stream,
  now: number,
): number =>
  Math.max(
    truncateBefore ?? 0,
    maxCount === undefined ? 0 : next - maxCount,
    maxAge === undefined ? 0 : (records.find(({ created }) => created >= now - maxAge)?.revision ?? next),
    state === 'open' ? 0 : next,
  );

export class RecordStore {
  all: StoredRecord[] = [];
  private readonly streams = new Map<string, Stream>();
  /** Ids that an append with "any" is compared with. */
  private ids = new Map<string, StoredRecord>();
  private readonly removed = new Set<number>();
  private readonly listeners = new Set<() => void>();
  /** Position of the next record. */
  end = BEGINNING;
  /** The server's clock, in seconds. */
  now = 0;

  constructor() {
    this.system('$users', '$user-created');
  }

  /** The records that reads of a stream find, or why they find none. */
  of(name: string): readonly StoredRecord[] | 'tombstoned' | undefined {
    const stream = this.streams.get(name);
    if (stream?.state === 'tombstoned') return 'tombstoned';
    if (stream === undefined || stream.state === 'soft deleted') return undefined;
    const first = hidden(stream, this.now);
    return first === 0 ? stream.records : stream.records.filter(({ revision }) => revision >= first);
  }

  /** Whether an operator has taken a right to this stream from our user. */
  isDenied(name: string, right: 'read' | 'append'): boolean {
    return this.streams.get(name)?.settings.denied?.includes(right) ?? false;
  }

  /** Revision of a stream's last record, -1 if there never was one. */
  revisionOf(name: string): number {
    return (this.streams.get(name)?.next ?? 0) - 1;
  }

  /**
   * Decides as the server does. With an expected revision, events with the same ids at the same places are a
   * repetition: nothing is stored, whatever their data. With "any", it looks for their ids in a memory that a restart
   * empties. A stream deleted softly goes on at its old revision.
   */
  append(name: string, expected: Expected, events: readonly Proposed[]): Outcome {
    const stream = this.streams.get(name) ?? { records: [], next: 0, settings: {}, state: 'open' };
    if (stream.state === 'tombstoned') return { kind: 'stream deleted' };
    const current = stream.next - 1;
    const shown = stream.state === 'soft deleted' ? -1 : current;
    if (expected === 'exists' && shown < 0) return { kind: 'wrong expected version', current: shown };
    if (expected === 'any') {
      const known = this.ids.get(events.at(-1)?.id ?? '');
      if (known?.stream === name) return { kind: 'stored', last: known, repeated: true };
    }
    if (typeof expected === 'number' && expected !== current && expected !== shown) {
      const there = events.map(({ id }, i) => this.at(stream, expected + 1 + i, id));
      return there.length > 0 && !there.includes(undefined)
        ? { kind: 'stored', last: there.at(-1)!, repeated: true }
        : { kind: 'wrong expected version', current: shown };
    }
    if (stream.state === 'soft deleted') {
      stream.state = 'open';
      this.set(name, { ...stream.settings, truncateBefore: stream.next });
    }
    this.streams.set(name, stream);
    for (const event of events) this.write(name, stream, event);
    this.ring();
    return { kind: 'stored', last: stream.records.at(-1)!, repeated: false };
  }

  /** The server may write events of its own at any time. */
  system(stream = '$stats-127.0.0.1:2113', type = '$statsCollected', count = 1, content: object = { proc: {} }): void {
    const data = new TextEncoder().encode(JSON.stringify(content));
    for (let n = 0; n < count; n += 1) {
      const id = crypto.randomUUID();
      this.append(stream, 'any', [{ id, type, contentType: 'application/json', data, metadata: new Uint8Array() }]);
    }
  }

  /** What an operator does: hides a stream's events until scavenging removes them, or for good. */
  set(name: string, settings: StreamSettings): void {
    this.streams.get(name)!.settings = settings;
    const { maxCount, truncateBefore, maxAge, denied } = settings;
    const content = {
      ...(maxCount !== undefined && { $maxCount: maxCount }),
      ...(truncateBefore !== undefined && { $tb: truncateBefore }),
      ...(maxAge !== undefined && { $maxAge: maxAge }),
      ...(denied !== undefined && {
        $acl: { ...(denied.includes('read') && { $r: SOMEBODY }), ...(denied.includes('append') && { $w: SOMEBODY }) },
      }),
    };
    this.system(`$$${name}`, '$metadata', 1, content);
  }

  softDelete(name: string): void {
    this.streams.get(name)!.state = 'soft deleted';
    // The highest number that the server knows, as far as JavaScript can tell it.
    this.system(`$$${name}`, '$metadata', 1, { $tb: Number(2n ** 63n) });
  }

  tombstone(name: string): void {
    this.streams.get(name)!.state = 'tombstoned';
    this.system(name.startsWith('$$') ? name : `$$${name}`, '$streamDeleted');
  }

  /**
   * Removes hidden records for good. Every other keeps its position.
   * @param also chooses more records to remove, as `$maxAge` does for the server's own
   * @param chunkBytes the head moves to the next multiple of this
   */
  scavenge(also: (record: StoredRecord) => boolean = () => false, chunkBytes = 1): void {
    const isRemoved = (record: StoredRecord) =>
      record.revision < hidden(this.streams.get(record.stream)!, this.now) || also(record);
    for (const record of this.all) if (isRemoved(record)) this.removed.add(record.position);
    this.all = this.all.filter(({ position }) => !this.removed.has(position));
    for (const stream of this.streams.values())
      stream.records = stream.records.filter(({ position }) => !this.removed.has(position));
    this.end = Math.ceil(this.end / chunkBytes) * chunkBytes;
  }

  /** A restarted server has forgotten the ids of earlier appends. */
  forgetIds(): void {
    this.ids = new Map();
  }

  /** A store with the same records, for another node. */
  copy(): RecordStore {
    const copy = new RecordStore();
    copy.all = [];
    copy.streams.clear();
    copy.catchUpWith(this);
    return copy;
  }

  /** Takes over what another node has stored beyond this one's end, as replication does. */
  catchUpWith(other: RecordStore): void {
    // By position: scavenging removes records from each node by itself.
    const missing = other.all.slice(other.firstNot(({ position }) => position < this.end));
    for (const record of missing) {
      const stream = this.streams.get(record.stream) ?? { records: [], next: 0, settings: {}, state: 'open' };
      this.streams.set(record.stream, stream);
      stream.records.push(record);
      stream.next = record.revision + 1;
      this.all.push(record);
      this.ids.set(record.id, record);
    }
    for (const position of other.removed) this.removed.add(position);
    this.end = other.end;
    if (missing.length > 0) this.ring();
  }

  /** Where a read from a position begins; `undefined` if no record began at that position. */
  placeOf(position: number): Place | undefined {
    const index = this.firstNot((record) => record.position < position);
    if (position === 0 || this.all[index]?.position === position) return { index, kind: 'record' };
    if (this.removed.has(position)) return { index, kind: 'removed' };
    // Inside the last record, or beyond the end.
    return index === this.all.length ? { index, kind: 'end' } : undefined;
  }

  /** Index of the first record beyond a position. */
  indexBeyond(position: number): number {
    return this.firstNot((record) => record.position <= position);
  }

  /** @returns how to stop listening */
  onAppended(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private at({ records }: Stream, revision: number, id: string): StoredRecord | undefined {
    const first = records[0]?.revision ?? 0;
    const record = records[revision - first] ?? records.find((one) => one.revision === revision);
    return record?.revision === revision && record.id === id ? record : undefined;
  }

  private firstNot(isBefore: (record: StoredRecord) => boolean): number {
    const last = this.all.at(-1);
    if (last === undefined || isBefore(last)) return this.all.length;
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.all[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private ring(): void {
    for (const listener of this.listeners) listener();
  }

  private write(name: string, stream: Stream, event: Proposed): void {
    const record = { ...event, position: this.end, stream: name, revision: stream.next, created: this.now };
    this.end += OVERHEAD + name.length + event.type.length + event.data.length + event.metadata.length;
    stream.next += 1;
    // Of a stream of metadata only the last event is kept.
    if (name.startsWith('$$')) stream.records.length = 0;
    stream.records.push(record);
    this.all.push(record);
    if (!name.startsWith('$')) this.ids.set(event.id, record);
  }
}
