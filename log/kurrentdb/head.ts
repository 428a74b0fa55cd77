/** The position of the last event of ours. The server knows only that of its own last record. */

import { type Line, type ReadingConnection, StaleServer } from '../../stores/kurrentdb/reading-connection.ts';
import { isOurs, type Placed, positionOf } from './events.ts';
import type { Places } from './places.ts';
import type { Reading } from './reading.ts';
import { Following } from './subscription.ts';

/** Records that are read back from the end: enough unless others write much behind ours. */
const NEAR = 20;
const PIECE = 1_000;

export class Head {
  private readonly connection: ReadingConnection;
  private readonly reading: Reading;
  private readonly places: Places;
  private last = 0;
  /** Up to here, `last` is the last event of ours. */
  private searched = 0;

  constructor(connection: ReadingConnection, reading: Reading, places: Places) {
    this.connection = connection;
    this.reading = reading;
    this.places = places;
  }

  /** The head is not below this. */
  get known(): number {
    return this.last;
  }

  /** An event was acknowledged, so the head is not below it. */
  acknowledged(position: number): void {
    this.passed(position, position);
  }

  /** Somebody has followed the log from a place to `through`, and `last` was the last event of ours, if there was one. */
  followed({ from, last, through }: { readonly from: number; readonly last: number; readonly through: number }): void {
    if (from <= this.searched) this.passed(last, through);
  }

  /**
   * Exact. At the opening, whatever others wrote behind ours is read once; later only the server goes through it.
   * @throws StoreUnavailable also if this server has less than it has acknowledged
   */
  ask(): Promise<number> {
    return this.connection.ask(async (line) => {
      const least = this.last;
      const { turns } = line;
      let end = 0;
      let last = 0;
      let joins = false;
      const take = (record: Placed): boolean => {
        const position = positionOf(record);
        end ||= position;
        if (isOurs(record)) last = position;
        joins = position <= this.searched;
        return last === 0 && !joins;
      };
      let count = 0;
      const takeNear = (record: Placed): boolean => {
        count += 1;
        return take(record);
      };
      await this.reading.backwards(line, takeNear, NEAR);
      if (end < least) throw new StaleServer();
      if (last === 0 && !joins && count === NEAR) {
        if (this.searched === 0) await this.reading.backwards(line, take);
        else last = await this.lastBeyond(line, this.searched);
      }
      // Another server may have had less than the one that told the end.
      if (line.turns !== turns) throw new Error('KurrentDB has changed its leader');
      this.passed(last, end);
      return this.last;
    });
  }

  private passed(last: number, through: number): void {
    this.last = Math.max(this.last, last);
    this.searched = Math.max(this.searched, through);
  }

  /** The server leaves out its own records. */
  private async lastBeyond(line: Line, position: number): Promise<number> {
    const { behind, first } = await this.places.beginning(line, position);
    let last = first !== undefined && isOurs(first) ? positionOf(first) : 0;
    const following = new Following(line, this.reading.clock, behind);
    try {
      for (;;) {
        for (const signal of await following.next(PIECE, { silenceMs: this.reading.silenceMs })) {
          if (signal.kind === 'caught up') return last;
          if (signal.kind === 'event' && isOurs(signal.event)) last = positionOf(signal.event);
        }
      }
    } finally {
      following.stop();
    }
  }
}
