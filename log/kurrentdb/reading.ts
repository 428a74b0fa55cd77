/** Reads that end by themselves, event by event, and give up on a silent server. */

import type {
  AllStreamRecordedEvent,
  EventStoreDBClient,
  ReadPosition,
  RecordedEvent,
  ResolvedEvent,
  StreamingRead,
} from '@eventstore/db-client';
import type { Clock } from '../../schemas/clock.ts';
import { NoAnswer } from '../../stores/kurrentdb/failures.ts';
import { Listening } from '../../stores/kurrentdb/listening.ts';
import { type Line, StaleServer } from '../../stores/kurrentdb/reading-connection.ts';
import { type AnyRecorded, positionOf } from './events.ts';

/** Returns false to stop. */
export type Take<E> = (event: E) => boolean;

export interface StreamRange {
  readonly fromRevision: bigint | 'end';
  readonly direction: 'forwards' | 'backwards';
  readonly maxCount: number;
}

interface Resolved<E> {
  readonly event?: E;
}

type Begin<E> = (client: EventStoreDBClient) => StreamingRead<Resolved<E>>;

export class Reading {
  readonly silenceMs: number;
  readonly clock: Clock;

  constructor({ silenceMs, clock }: { readonly silenceMs: number; readonly clock: Clock }) {
    this.silenceMs = silenceMs;
    this.clock = clock;
  }

  /** At most `maxCount` events of a stream, from a revision on. @throws also if the stream does not exist */
  stream(line: Line, stream: string, range: StreamRange, take: Take<RecordedEvent>): Promise<void> {
    const options = { ...range, requiresLeader: true };
    return this.taking(line, (client) => client.readStream(stream, options) as StreamingRead<ResolvedEvent>, take);
  }

  /** All records, newest first. */
  backwards(line: Line, take: Take<AllStreamRecordedEvent>, maxCount = Number.MAX_SAFE_INTEGER): Promise<void> {
    const options = { direction: 'backwards', fromPosition: 'end', maxCount, requiresLeader: true } as const;
    return this.taking(line, (client) => client.readAll(options), take);
  }

  /** All records from a place, included. */
  from(line: Line, place: ReadPosition, take: Take<AllStreamRecordedEvent>, maxCount: number): Promise<void> {
    const options = { fromPosition: place, maxCount, requiresLeader: true };
    return this.taking(line, (client) => client.readAll(options), take);
  }

  /** The first record from a place on, included; `undefined` if there is none. */
  async first(line: Line, place: ReadPosition): Promise<AllStreamRecordedEvent | undefined> {
    let first: AllStreamRecordedEvent | undefined;
    await this.from(
      line,
      place,
      (record) => {
        first = record;
        return false;
      },
      1,
    );
    return first;
  }

  /** The last record of the log, the server's own included. */
  async last(line: Line): Promise<AllStreamRecordedEvent | undefined> {
    let last: AllStreamRecordedEvent | undefined;
    await this.backwards(
      line,
      (record) => {
        last = record;
        return false;
      },
      1,
    );
    return last;
  }

  /**
   * Makes sure that the server holds everything up to a position, before something is read there. What it holds it
   * keeps, so a line needs no second look until it goes to another server.
   * @throws StaleServer
   */
  async fresh(line: Line, position: number): Promise<void> {
    if (line.seen >= position) return;
    await this.last(line);
    if (line.seen < position) throw new StaleServer();
  }

  /** Resolves once the server has answered a question. However many ask at the same time, it is asked once. */
  alive(line: Line): Promise<void> {
    line.asking ??= this.last(line).then(
      () => {
        line.asking = undefined;
      },
      (error: unknown) => {
        line.asking = undefined;
        throw error;
      },
    );
    return line.asking;
  }

  /** @throws the error of the server or the connection, or NoAnswer */
  private taking<E extends AnyRecorded>(line: Line, begin: Begin<E>, take: Take<E>): Promise<void> {
    const { silenceMs, clock } = this;
    return new Promise((resolve, reject) => {
      if (line.ended.aborted) {
        reject(new NoAnswer(silenceMs));
        return;
      }
      const read = begin(line.client);
      const listening = new Listening(line, silenceMs);
      let over = false;
      let cancel = () => {};
      const end = (settle: () => void): void => {
        if (over) return;
        over = true;
        cancel();
        line.ended.removeEventListener('abort', givenUp);
        // Rejects if there never was a connection.
        read.cancel().catch(() => {});
        settle();
      };
      const fail = (error: unknown): void => end(() => reject(error));
      const givenUp = (): void => fail(new NoAnswer(silenceMs));
      const wait = (): void => {
        cancel = clock.setTimer(silenceMs / 2, () => {
          try {
            listening.half();
            wait();
          } catch (error) {
            fail(error);
          }
        });
      };
      wait();
      line.ended.addEventListener('abort', givenUp);
      read.on('data', ({ event }) => {
        if (over || event === undefined) return;
        listening.heard();
        try {
          line.seen = Math.max(line.seen, positionOf(event));
          if (!take(event)) end(resolve);
        } catch (error) {
          fail(error);
        }
      });
      read.on('error', fail);
      read.on('end', () => {
        listening.heard();
        end(resolve);
      });
    });
  }
}
