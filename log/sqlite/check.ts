/** `parley doctor`: reads everything in log.db and lists what is damaged. Changes nothing. */

import { join } from 'node:path';
import type { Clock } from '../../schemas/clock.ts';
import { recordedAs } from '../../schemas/envelope.ts';
import { decodeEvent } from '../../schemas/events/catalogue.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import { reasonOf } from '../../stores/guard.ts';
import type { StoredEvent } from '../port.ts';
import { openForReading } from './open.ts';
import { Reader } from './reader.ts';
import { DamagedEvent } from './rows.ts';
import { LOG_FILE } from './schema.ts';

/** More findings than this are counted and not listed. */
const LISTED = 100;
const PAGE = 1_000;

export interface LogCheck {
  /** Positions read. */
  readonly events: number;
  /** A sentence for each finding, the first hundred. */
  readonly findings: readonly string[];
  /** All findings. */
  readonly count: number;
}

class Findings {
  readonly listed: string[] = [];
  count = 0;

  add(finding: string): void {
    this.count += 1;
    if (this.listed.length < LISTED) this.listed.push(finding);
  }
}

type Place = Pick<StoredEvent, 'stream' | 'sequence' | 'position'>;

const placeOf = ({ stream, sequence, position }: Place): string => `position ${position} (${stream} ${sequence})`;

/** Sequences of each stream without holes, as in the order of positions. */
class Sequences {
  readonly #last = new Map<string, number>();

  hole({ stream, sequence, position }: Place): string | undefined {
    const last = this.#last.get(stream) ?? 0;
    this.#last.set(stream, sequence);
    return sequence === last + 1 ? undefined : `position ${position}: ${stream} goes on with ${sequence} after ${last}`;
  }
}

interface CheckOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly onProgress: (through: number, head: number) => void;
}

/**
 * Checks every page of the file, and every event: its text, its form and its place. A server may be running.
 * @throws UnusableLog when the file cannot be opened at all
 */
export const checkLog = async ({ directory, clock, onProgress }: CheckOptions): Promise<LogCheck> => {
  const found = new Findings();
  const database = openForReading(directory);
  const reader = new Reader(database, new TimeSlices(clock));
  const sequences = new Sequences();
  const checkEvent = (event: StoredEvent): void => {
    try {
      decodeEvent(recordedAs(event, event.position, JSON.parse(event.data) as unknown));
    } catch (failure) {
      found.add(`${placeOf(event)}: ${reasonOf(failure)}`);
    }
    const hole = sequences.hole(event);
    if (hole !== undefined) found.add(hole);
  };
  const ofFile = (what: string): void => found.add(`${join(directory, LOG_FILE)}: ${what}`);
  try {
    const pages = database.prepare(`PRAGMA integrity_check(${LISTED})`).raw(true).all([]) as [string][];
    for (const [finding] of pages) if (finding !== 'ok') ofFile(`${finding.split('\n').at(-1)}`);
  } catch (failure) {
    ofFile(reasonOf(failure));
  }
  let head = 0;
  try {
    head = reader.head();
  } catch (failure) {
    ofFile(`no event can be found (${reasonOf(failure)})`);
  }
  for (let after = 0, limit = PAGE; after < head; ) {
    try {
      const { events, through } = await reader.rawAll({ after, limit }, 'checked text');
      for (const event of events) checkEvent(event);
      after = through;
      limit = PAGE;
      onProgress(after, head);
    } catch (failure) {
      if (failure instanceof DamagedEvent && failure.event.position > after + 1)
        limit = failure.event.position - after - 1;
      else if (limit > 1) limit = Math.floor(limit / 2);
      else {
        after += 1;
        if (failure instanceof DamagedEvent) sequences.hole(failure.event);
        found.add(
          failure instanceof DamagedEvent
            ? `${placeOf(failure.event)}: ${failure.why}`
            : `position ${after}: ${reasonOf(failure)}`,
        );
      }
    }
  }
  reader.close();
  return { events: head, findings: found.listed, count: found.count };
};
