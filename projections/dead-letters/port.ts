/** What the followers of the distribution log could not apply, where everybody can see it and ask for another try. */
import type { DeadLetter } from '../runner/port.ts';

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
