/** Streams that a projection does not follow, because one of their events could not be applied. */

import type { ParleyEvent } from '../../schemas/events/index.ts';
import type { DeadLetters, NewLetter, RecordedLetter } from '../dead-letters/port.ts';

export interface PoisonedParts {
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
    const said = error instanceof Error ? error.message : String(error);
    return { projection, stream, sequence, position, error: said, attempts };
  }
}
