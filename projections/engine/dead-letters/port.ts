/** Events that followers of the distribution log could not apply. Operators can list them and ask for a retry. */

import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { reasonOf } from '../../../stores/guard.ts';
import type { DeadLetter, Place } from '../port.ts';

/**
 * A stream has at most one letter: its later events depend on this one and are skipped too. `projection` is the
 * follower's group, such as `timelines-g2`: the next generation may apply what this one could not.
 */
export interface RecordedLetter extends DeadLetter {
  /** Events of the stream from this one on are skipped. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** A retry was requested. */
  readonly retry: boolean;
}

export type NewLetter = Omit<RecordedLetter, 'time' | 'retry'>;

/** Selects letters: all, those of a projection, or one. */
export interface WhichLetters {
  readonly projection?: string;
  readonly stream?: string;
}

export interface DeadLetters {
  /** If the stream already has a letter, the earlier of the two stays. */
  record(letter: NewLetter): Promise<void>;
  /** Oldest first. */
  list(which?: WhichLetters): Promise<readonly RecordedLetter[]>;
  /** The first skipped sequence of each stream. */
  poisoned(projection: string): Promise<ReadonlyMap<string, number>>;
  /**
   * Marks them for a retry. The follower of the stream's partition notices within a second or two.
   * @returns how many
   */
  requestRetry(which: WhichLetters): Promise<number>;
  requested(projection: string): Promise<readonly RecordedLetter[]>;
  /** The stream is followed again. */
  resolve(which: Required<WhichLetters>): Promise<void>;
  /** The retry got as far as this event of the stream and failed there. */
  failAgain(letter: NewLetter): Promise<void>;
  /** Deletes the letters of a projection that no longer exists. */
  forget(projection: string): Promise<void>;
}

interface PoisonedParts {
  readonly letters: DeadLetters;
  /** The follower's group. */
  readonly projection: string;
  /** Reports the letter elsewhere before it is recorded: possibly twice, never not at all. */
  readonly publish: (letter: NewLetter, event: Place) => Promise<void>;
  readonly onDeadLetter?: (letter: NewLetter) => void;
}

/** The streams that a projection skips because one of their events could not be applied. */
export class PoisonedStreams {
  private readonly parts: PoisonedParts;
  private leftOut: ReadonlyMap<string, number> = new Map();

  constructor(parts: PoisonedParts) {
    this.parts = parts;
  }

  async load(): Promise<void> {
    this.leftOut = await this.parts.letters.poisoned(this.parts.projection);
  }

  isLeftOut({ stream, sequence }: Place): boolean {
    const from = this.leftOut.get(stream);
    return from !== undefined && sequence >= from;
  }

  followed(events: readonly ParleyEvent[]): readonly ParleyEvent[] {
    return this.leftOut.size === 0 ? events : events.filter((event) => !this.isLeftOut(event));
  }

  /** Skips the stream from this event on. */
  async bury(event: Place, error: unknown, attempts: number): Promise<void> {
    const { letters, publish, onDeadLetter } = this.parts;
    const letter = this.letterOf(event, error, attempts);
    await publish(letter, event);
    await letters.record(letter);
    this.leftOut = new Map(this.leftOut).set(event.stream, event.sequence);
    onDeadLetter?.(letter);
  }

  requested(): Promise<readonly RecordedLetter[]> {
    return this.parts.letters.requested(this.parts.projection);
  }

  async failAgain(event: Place, error: unknown, attempts: number): Promise<void> {
    await this.parts.letters.failAgain(this.letterOf(event, error, attempts));
    this.leftOut = new Map(this.leftOut).set(event.stream, event.sequence);
  }

  async resolve(stream: string): Promise<void> {
    await this.parts.letters.resolve({ projection: this.parts.projection, stream });
    const leftOut = new Map(this.leftOut);
    leftOut.delete(stream);
    this.leftOut = leftOut;
  }

  private letterOf({ stream, sequence, position }: Place, error: unknown, attempts: number): NewLetter {
    const { projection } = this.parts;
    const said = reasonOf(error);
    return { projection, stream, sequence, position, error: said, attempts };
  }
}
