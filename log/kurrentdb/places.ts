/** Where to begin for the events beyond a position: the server begins only where it knows that a record does. */

import type { Position, ReadPosition } from '@eventstore/db-client';
import { isMisplaced, mayBeMisplaced } from '../../stores/kurrentdb/failures.ts';
import type { Line } from '../../stores/kurrentdb/reading-connection.ts';
import { type Placed, positionOf, toPosition } from './events.ts';
import type { Reading } from './reading.ts';
import { Following } from './subscription.ts';

/** Beyond `after` there are `first`, if it lies there, and all that a subscription behind `behind` delivers. */
export interface Beginning {
  readonly behind: ReadPosition;
  /** The record at `behind`. */
  readonly first?: Placed;
}

export const at = (position: number): Position => ({ commit: BigInt(position), prepare: BigInt(position) });

/**
 * Bytes on either side of a position that are tried, up to each of these, the nearest first. Whoever has seen all below an
 * event keeps the position before it, and most records are shorter than the last of these.
 */
const NEAR = [1, 8] as const;
const FAR = Array.from({ length: 16 }, (_, i) => 8 + (i + 1) * 32);
/** The server says where each page of so many records begins. */
const PAGE = 1_000;
const MOST_TRIES = 3;

/** A record is there, the log ends before, or no record begins there. */
type Found = Placed | 'nothing' | 'misplaced';

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
  private async search(line: Line, position: number): Promise<Placed | 'nothing'> {
    const near = await this.around(line, position, 0, NEAR);
    if (near !== undefined) return near;
    const start = await this.reading.first(line, 'start');
    if (start !== undefined && positionOf(start) > position) return start;
    const far = this.isPaged(position) ? undefined : await this.around(line, position, NEAR.at(-1)!, FAR);
    return far ?? this.fromPage(line, position);
  }

  /** Tries each byte beyond the distance `tried`. */
  private async around(
    line: Line,
    position: number,
    tried: number,
    distances: readonly number[],
  ): Promise<Placed | undefined> {
    let last = tried;
    for (const most of distances) {
      const steps = Array.from({ length: most - last }, (_, i) => last + 1 + i);
      const foundOn = (side: 1 | -1) => Promise.all(steps.map((step) => this.recordAt(line, position + side * step)));
      const [above, below] = await Promise.all([foundOn(1), foundOn(-1)]);
      const next = above.find((record) => record !== undefined);
      if (next !== undefined) return next;
      const holding = below.find((record) => record !== undefined);
      const beyond = holding && (await this.firstBeyond(line, holding.position, position, 2));
      if (beyond !== undefined) return beyond;
      last = most;
    }
    return undefined;
  }

  private async recordAt(line: Line, position: number): Promise<Placed | undefined> {
    const found = position > 0 ? await this.look(line, at(position)) : 'misplaced';
    return typeof found === 'string' ? undefined : found;
  }

  private isPaged(position: number): boolean {
    return (this.pages.at(-1)?.commit ?? 0n) > BigInt(position);
  }

  /** Lets the server go through its records without sending them, from the last page known; then reads one page. */
  private async fromPage(line: Line, position: number): Promise<Placed | 'nothing'> {
    if (!this.isPaged(position)) {
      // Nothing has this name.
      const wanted = { prefix: crypto.randomUUID() };
      const following = new Following(line, this.reading.clock, this.pages.at(-1) ?? 'start', wanted);
      try {
        for (let ended = false; !ended && !this.isPaged(position); ) {
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
    try {
      return (await this.firstBeyond(line, page ?? 'start', position, 2 * PAGE)) ?? 'nothing';
    } catch (error) {
      // Whoever asks again goes by what the server says now.
      if (isMisplaced(error)) this.pages.length = 0;
      throw error;
    }
  }

  private async firstBeyond(
    line: Line,
    from: ReadPosition,
    position: number,
    most: number,
  ): Promise<Placed | undefined> {
    let beyond: Placed | undefined;
    const take = (record: Placed): boolean => {
      if (positionOf(record) > position) beyond = record;
      return beyond === undefined;
    };
    await this.reading.from(line, from, take, most);
    return beyond;
  }
}
