/** What a process has parsed of the distribution log: its groups read the same records, soon after one another. */

import { LRUCache } from 'lru-cache';
import { BUDGETS } from '../../stores/budgets.ts';
import { type Delivered, deliveredOf } from './worker.ts';

/** A record as the distribution log delivers it. */
export interface RawRecord {
  /** Decimal. */
  readonly offset: string;
  /** Null for a tick. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

interface Kept {
  readonly value: Buffer;
  readonly delivered: Delivered;
}

/** Of an entry beside its record, in bytes. */
const ENTRY_BYTES = 256;
const NOTHING = Buffer.alloc(0);

export class ParsedRecords {
  readonly #kept = new LRUCache<string, Kept>({
    maxSize: BUDGETS.parsedRecords.bytes,
    sizeCalculation: ({ value }) => ENTRY_BYTES + value.byteLength,
  });
  readonly #onRead: (how: 'parsed' | 'shared') => void;

  /** @param onRead called for each record that is read: whether it was parsed, or shared with an earlier reader */
  constructor(onRead: (how: 'parsed' | 'shared') => void = () => {}) {
    this.#onRead = onRead;
  }

  /**
   * @returns what all readers of the record share. An unreadable record is left out, and parsed again by the next reader.
   */
  read(partition: number, { offset, key, value }: RawRecord, onUnreadable: (failure: unknown) => void): Delivered {
    const place = `${partition}/${offset}`;
    const bytes = value ?? NOTHING;
    const kept = this.#kept.get(place);
    // A topic that was made anew has other records at the same offsets.
    if (kept?.value.equals(bytes)) {
      this.#onRead('shared');
      return kept.delivered;
    }
    this.#onRead('parsed');
    const next = (BigInt(offset) + 1n).toString();
    const delivered = deliveredOf(bytes.toString(), key === null, next, onUnreadable);
    const isReadable = delivered.event !== undefined || delivered.tick !== undefined;
    if (isReadable) this.#kept.set(place, { value: bytes, delivered });
    return delivered;
  }
}
