/** Where to begin for the events beyond a position: the server begins only where it knows that a record does. */

import type { AllStreamRecordedEvent, Position, ReadPosition } from '@eventstore/db-client';
import { isMisplaced, mayBeMisplaced } from '../../stores/kurrentdb/failures.ts';
import type { Line } from '../../stores/kurrentdb/reading-connection.ts';
import { positionOf, toPosition } from './events.ts';
import type { Reading } from './reading.ts';
import { Following } from './subscription.ts';

/** Beyond `after` there are `first`, if it lies there, and all that a subscription behind `behind` delivers. */
export interface Beginning {
  readonly behind: ReadPosition;
  /** The record at `behind`. */
  readonly first?: AllStreamRecordedEvent;
}

export const at = (position: number): Position => ({ commit: BigInt(position), prepare: BigInt(position) });

/** Bytes around a position that are tried, the nearest first. Most records are shorter than the last of these. */
const RINGS = [1, 8, 64, 512] as const;
const TRIED_AT_ONCE = 64;
/** The server says where each page of so many records begins. */
const PAGE = 1_000;
const MOST_TRIES = 3;

/** A record is there, the log ends before, or no record begins there. */
type Found = AllStreamRecordedEvent | 'nothing' | 'misplaced';

export class Places {
  private readonly reading: Reading;
  /** Where pages begin, in order, as far as they have been looked for. */
  private readonly pages: Position[] = [];

  constructor(reading: Reading) {
    this.reading = reading;
  }

  /**
   * A subscription behind a record that scavenging has removed leaves out the next one, so it always begins behind a
   * record that was just read.
   * @param place any position, or a place that the server has told, with both its halves
   * @throws the error of the server or the connection, or NoAnswer
   */
  async beginning(line: Line, place: number | Position): Promise<Beginning> {
    const [position, told] = typeof place === 'number' ? [place, at(place)] : [toPosition(place.commit), place];
    if (position === 0) return { behind: 'start' };
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      let first = await this.look(line, told);
      if (first === 'misplaced') first = await this.search(line, position);
      if (first !== 'nothing') return { behind: first.position, first };
      // The place is inside the last record, or beyond the end.
      const last = await this.reading.last(line);
      if (last === undefined) return { behind: 'start' };
      if (positionOf(last) <= position) return { behind: last.position };
    }
    throw new Error(`KurrentDB finds nothing at position ${position}, which lies before its last event`);
  }

  private async look(line: Line, place: ReadPosition): Promise<Found> {
    try {
      return (await this.reading.first(line, place)) ?? 'nothing';
    } catch (error) {
      if (isMisplaced(error)) return 'misplaced';
      if (!mayBeMisplaced(error)) throw error;
      // Some servers say so of any failure: it is this place if reading elsewhere succeeds.
      await this.reading.first(line, 'start');
      return 'misplaced';
    }
  }

  /** The first record beyond a position where none begins. */
  private async search(line: Line, position: number): Promise<AllStreamRecordedEvent | 'nothing'> {
    let tried = 0;
    for (const ring of RINGS) {
      const found = await this.around(line, position, tried, ring);
      if (found !== undefined) return found;
      tried = ring;
    }
    return this.fromPage(line, position);
  }

  /** Tries each byte whose distance is more than `tried`, and at most `ring`. */
  private async around(
    line: Line,
    position: number,
    tried: number,
    ring: number,
  ): Promise<AllStreamRecordedEvent | undefined> {
    for (let near = tried + 1; near <= ring; near += TRIED_AT_ONCE) {
      const distances = Array.from({ length: Math.min(TRIED_AT_ONCE, ring - near + 1) }, (_, i) => near + i);
      const [above, below] = await Promise.all(
        [1, -1].map((side) =>
          Promise.all(
            distances.map(async (distance) => {
              const place = position + side * distance;
              const found = place > 0 ? await this.look(line, at(place)) : 'misplaced';
              return typeof found === 'string' ? undefined : found;
            }),
          ),
        ),
      );
      const next = above!.find((record) => record !== undefined && positionOf(record) > position);
      if (next !== undefined) return next;
      const holding = below!.find((record) => record !== undefined);
      const beyond = holding && (await this.firstBeyond(line, holding.position, position, 2));
      if (beyond !== undefined) return beyond;
    }
    return undefined;
  }

  /** Lets the server go through its records without sending them, from the last page known; then reads one page. */
  private async fromPage(line: Line, position: number): Promise<AllStreamRecordedEvent | 'nothing'> {
    const isKnown = () => (this.pages.at(-1)?.commit ?? 0n) > BigInt(position);
    if (!isKnown()) {
      // Nothing has this name.
      const wanted = { prefix: crypto.randomUUID() };
      const following = new Following(line, this.reading.clock, this.pages.at(-1) ?? 'start', wanted);
      try {
        for (let ended = false; !ended && !isKnown(); ) {
          for (const signal of await following.next(PAGE, { silenceMs: this.reading.silenceMs })) {
            if (signal.kind === 'caught up') ended = true;
            const isNext = signal.kind === 'checkpoint' && signal.position.commit > (this.pages.at(-1)?.commit ?? 0n);
            if (isNext) this.pages.push(signal.position);
          }
        }
      } finally {
        following.stop();
      }
    }
    const page = this.pages.findLast(({ commit }) => commit <= BigInt(position));
    return (await this.firstBeyond(line, page ?? 'start', position, 2 * PAGE)) ?? 'nothing';
  }

  private async firstBeyond(
    line: Line,
    from: ReadPosition,
    position: number,
    most: number,
  ): Promise<AllStreamRecordedEvent | undefined> {
    let beyond: AllStreamRecordedEvent | undefined;
    const take = (record: AllStreamRecordedEvent): boolean => {
      if (positionOf(record) > position) beyond = record;
      return beyond === undefined;
    };
    await this.reading.from(line, from, take, most);
    return beyond;
  }
}
