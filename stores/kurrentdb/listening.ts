/** How long to wait for an answer: a dead connection is told from a server that is slow with one question. */

import { NoAnswer } from './failures.ts';
import type { Line } from './reading-connection.ts';

/** A line that answers others is alive: a question may then take so many times longer. */
const TIMES_LONGER = 5;

/** Somebody's listening over a line. Time is counted in halves: what came while the process was busy is taken in between. */
export class Listening {
  private readonly line: Line;
  private readonly silenceMs: number;
  private items: number;
  private lineHalves = 0;
  private ownHalves = 0;

  constructor(line: Line, silenceMs: number) {
    this.line = line;
    this.silenceMs = silenceMs;
    this.items = line.items;
  }

  heard(): void {
    this.line.items += 1;
    this.ownHalves = 0;
  }

  /** Half of the time has passed. @throws NoAnswer when nothing at all came over the line; another error if only this did not */
  half(): void {
    this.lineHalves = this.line.items === this.items ? this.lineHalves + 1 : 0;
    this.items = this.line.items;
    this.ownHalves += 1;
    if (this.lineHalves >= 2) throw new NoAnswer(this.silenceMs);
    if (this.ownHalves >= 2 * TIMES_LONGER)
      throw new Error(`KurrentDB answers others, and has not answered this within ${TIMES_LONGER * this.silenceMs} ms`);
  }
}
