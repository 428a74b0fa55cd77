/** What the followers of the distribution log could not apply, where everybody can see it and ask for another try. */

import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { reasonOf } from '../../../stores/guard.ts';
import type { DeadLetter } from '../port.ts';

/**
 * One for a stream at most: its later events build on this one and are left out too. `projection` is the follower's group,
 * `timelines-g2`: what one generation could not apply, the next may.
 */
export interface RecordedLetter extends DeadLetter {
  /** Events of the stream from here on are left out. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Another try was asked for. */
  readonly retry: boolean;
}

export type NewLetter = Omit<RecordedLetter, 'time' | 'retry'>;

/** Which letters: all, those of a projection, or one. */
export interface WhichLetters {
  readonly projection?: string;
  readonly stream?: string;
}

export interface DeadLetters {
  /** Where the stream has one already, the earlier of the two stays. */
  record(letter: NewLetter): Promise<void>;
  /** Oldest first. */
  list(which?: WhichLetters): Promise<readonly RecordedLetter[]>;
  /** The first sequence that is left out, by stream. */
  poisoned(projection: string): Promise<ReadonlyMap<string, number>>;
  /** Marks them; whoever follows the stream's partition notices within a second or two. @returns how many there were. */
  requestRetry(which: WhichLetters): Promise<number>;
  requested(projection: string): Promise<readonly RecordedLetter[]>;
  /** The stream is followed again. */
  resolve(which: Required<WhichLetters>): Promise<void>;
  /** The retry came as far as this event of the stream, and failed there. */
  failAgain(letter: NewLetter): Promise<void>;
  /** The projection is no more. */
  forget(projection: string): Promise<void>;
}

/** Streams that a projection does not follow, because one of their events could not be applied. */
interface PoisonedParts {
  readonly letters: DeadLetters;
  /** The follower's group. */
  readonly projection: string;
  /** Tells others of it, before it is recorded: perhaps twice, never not at all. */
  readonly publish: (letter: NewLetter, event: ParleyEvent) => Promise<void>;
  readonly onDeadLetter?: (letter: NewLetter) => void;
}

export class PoisonedStreams {
  private readonly parts: PoisonedParts;
  private leftOut: ReadonlyMap<string, number> = new Map();

  constructor(parts: PoisonedParts) {
    this.parts = parts;
  }

  async load(): Promise<void> {
    this.leftOut = await this.parts.letters.poisoned(this.parts.projection);
  }

  isLeftOut({ stream, sequence }: ParleyEvent): boolean {
    const from = this.leftOut.get(stream);
    return from !== undefined && sequence >= from;
  }

  followed(events: readonly ParleyEvent[]): readonly ParleyEvent[] {
    return this.leftOut.size === 0 ? events : events.filter((event) => !this.isLeftOut(event));
  }

  /** From now on the stream is left out from this event on. */
  async bury(event: ParleyEvent, error: unknown, attempts: number): Promise<void> {
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

  async failAgain(event: ParleyEvent, error: unknown, attempts: number): Promise<void> {
    await this.parts.letters.failAgain(this.letterOf(event, error, attempts));
    this.leftOut = new Map(this.leftOut).set(event.stream, event.sequence);
  }

  async resolve(stream: string): Promise<void> {
    await this.parts.letters.resolve({ projection: this.parts.projection, stream });
    const leftOut = new Map(this.leftOut);
    leftOut.delete(stream);
    this.leftOut = leftOut;
  }

  private letterOf({ stream, sequence, position }: ParleyEvent, error: unknown, attempts: number): NewLetter {
    const { projection } = this.parts;
    const said = reasonOf(error);
    return { projection, stream, sequence, position, error: said, attempts };
  }
}
