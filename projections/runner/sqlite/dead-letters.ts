/** What some projection could not apply, and which streams it therefore no longer follows. */
import type { ParleyEvent } from '../../../schemas/events/index.ts';
import { type Connection, command, query } from '../../sqlite/statements.ts';
import type { DeadLetter } from '../port.ts';

export class DeadLetters {
  count = 0;
  private readonly add: ReturnType<typeof command>;
  private readonly left = new Map<string, Set<string>>();

  constructor(db: Connection) {
    this.add = command(
      db,
      'INSERT INTO dead_letters (projection, stream, position, error, attempts) VALUES (?, ?, ?, ?, ?)',
    );
    for (const [projection, stream] of query<[string, string]>(db, 'SELECT projection, stream FROM dead_letters').all())
      this.leave(projection, stream);
  }

  private leave(projection: string, stream: string): void {
    const streams = this.left.get(projection);
    if (streams === undefined) this.left.set(projection, new Set([stream]));
    else streams.add(stream);
    this.count += 1;
  }

  /** The events the projection still follows. */
  followed(projection: string, events: readonly ParleyEvent[]): readonly ParleyEvent[] {
    const streams = this.left.get(projection);
    return streams === undefined ? events : events.filter((event) => !streams.has(event.stream));
  }

  /** Within a transaction; `committed` when it is through. */
  write(letter: DeadLetter): void {
    this.add(letter.projection, letter.stream, letter.position, letter.error, letter.attempts);
  }

  committed(letters: readonly DeadLetter[]): void {
    for (const { projection, stream } of letters) this.leave(projection, stream);
  }
}
