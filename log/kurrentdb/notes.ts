/** What we note down about the log itself: its format and its epoch, in a stream of our own that no reader is shown. */
import { randomUUID } from 'node:crypto';
import { ErrorType, jsonEvent } from '@eventstore/db-client';
import type { AppendingConnection } from './appending-connection.ts';
import { asking, typeOf } from './connection.ts';
import { NOTES } from './events.ts';
import type { Reader } from './reader.ts';

const FORMAT = 1;

interface Note {
  readonly format: number;
  readonly epoch: string;
}

export class Notes {
  private readonly connection: AppendingConnection;
  private readonly reader: Reader;

  constructor(connection: AppendingConnection, reader: Reader) {
    this.connection = connection;
    this.reader = reader;
  }

  /** The log's epoch. The first who opens it gives it one. @throws when it is the log of a newer Parley */
  async epoch(): Promise<string> {
    for (;;) {
      const last = await this.last();
      if (last !== undefined && last.format > FORMAT)
        throw new Error(
          `The event log has format ${last.format}; this Parley knows formats up to ${FORMAT}: start a newer one.`,
        );
      if (last !== undefined) return last.epoch;
      await this.write(randomUUID(), 'no_stream');
    }
  }

  /** @returns the new epoch when it is durable */
  async renew(): Promise<string> {
    const epoch = randomUUID();
    for (;;) {
      const last = await this.last();
      if (last?.epoch === epoch) return epoch;
      await this.write(epoch, last === undefined ? 'no_stream' : last.revision);
    }
  }

  private async last(): Promise<(Note & { readonly revision: bigint }) | undefined> {
    const [event] = await this.reader.recorded(NOTES, { fromRevision: 'end', direction: 'backwards', maxCount: 1 });
    return event && { ...(event.data as unknown as Note), revision: event.revision };
  }

  /** Whoever was first wins: what is there now is read again in any case. */
  private async write(epoch: string, expectedRevision: bigint | 'no_stream'): Promise<void> {
    const note = jsonEvent({ type: 'epoch-began', data: { format: FORMAT, epoch } });
    try {
      await asking(() => this.connection.append(NOTES, [note], expectedRevision));
    } catch (error) {
      if (typeOf(error) !== ErrorType.WRONG_EXPECTED_VERSION) throw error;
    }
  }
}
