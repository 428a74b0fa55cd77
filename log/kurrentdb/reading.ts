/** Reads that end by themselves, event by event, without waiting for ever on a server that says nothing. */
import type {
  AllStreamRecordedEvent,
  EventStoreDBClient,
  Position,
  ReadPosition,
  RecordedEvent,
  ResolvedEvent,
  StreamingRead,
} from '@eventstore/db-client';
import { isMisplaced, NoAnswer } from './connection.ts';
import { Following, type Wanted } from './following.ts';

/** Returns false when it has had enough. */
type Take<E> = (event: E) => boolean;

const PIECE = 1_000;

interface Resolved<E> {
  readonly event?: E;
}

/** @throws what the server or the connection said, or NoAnswer */
const taking = <E>(read: StreamingRead<Resolved<E>>, take: Take<E>, silenceMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let over = false;
    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      // Rejects where there never was a connection.
      read.cancel().catch(() => {});
      settle();
    };
    const timer = setTimeout(() => end(() => reject(new NoAnswer(silenceMs))), silenceMs);
    read.on('data', ({ event }) => {
      if (over || event === undefined) return;
      timer.refresh();
      try {
        if (!take(event)) end(resolve);
      } catch (error) {
        end(() => reject(error));
      }
    });
    read.on('error', (error) => end(() => reject(error)));
    read.on('end', () => end(resolve));
  });

export class Reading {
  private readonly client: EventStoreDBClient;
  private readonly silenceMs: number;

  constructor(client: EventStoreDBClient, silenceMs: number) {
    this.client = client;
    this.silenceMs = silenceMs;
  }

  /** A stream's events from a revision on, at most `maxCount`. @throws also where the stream does not exist */
  stream(
    stream: string,
    options: {
      readonly fromRevision: bigint | 'end';
      readonly direction: 'forwards' | 'backwards';
      readonly maxCount: number;
    },
    take: Take<RecordedEvent>,
  ): Promise<void> {
    const read = this.client.readStream(stream, { ...options, requiresLeader: true });
    return taking(read as StreamingRead<ResolvedEvent>, take, this.silenceMs);
  }

  /** Everything, newest first. */
  backwards(take: Take<AllStreamRecordedEvent>, maxCount = Number.MAX_SAFE_INTEGER): Promise<void> {
    const options = { direction: 'backwards', fromPosition: 'end', maxCount, requiresLeader: true } as const;
    return taking(this.client.readAll(options), take, this.silenceMs);
  }

  /** Everything from a position on, that one included, to the end of the log. */
  from(
    fromPosition: ReadPosition,
    take: Take<AllStreamRecordedEvent>,
    maxCount = Number.MAX_SAFE_INTEGER,
  ): Promise<void> {
    return taking(this.client.readAll({ fromPosition, maxCount, requiresLeader: true }), take, this.silenceMs);
  }

  /** What the server finds beyond a position, to the end of the log. It may find more than is wanted. */
  async wanted(after: ReadPosition, wanted: Wanted, take: Take<AllStreamRecordedEvent>): Promise<void> {
    const following = new Following(this.client, after, wanted);
    try {
      for (;;) {
        for (const signal of await following.next(PIECE, { silenceMs: this.silenceMs })) {
          if (signal.kind === 'caught up') return;
          if (signal.kind === 'event' && !take(signal.event)) return;
        }
      }
    } finally {
      following.stop();
    }
  }
}

/** Where to begin in order to get what is beyond a position: behind `first`, if there is one. */
export interface Place {
  readonly after: ReadPosition;
  readonly first?: AllStreamRecordedEvent;
}

const at = (position: number): Position => ({ commit: BigInt(position), prepare: BigInt(position) });

export const placeOf = (position: number): Place => ({ after: position === 0 ? 'start' : at(position) });

/**
 * For a position that the server did not take, because no event is there. Such come from whoever has looked at everything
 * *below* an event and remembers its position - 1, and from strangers, for whom it is looked for from the start.
 */
export const mendedPlaceOf = async (reading: Reading, position: number): Promise<Place> => {
  let first: AllStreamRecordedEvent | undefined;
  const take = (event: AllStreamRecordedEvent): boolean => {
    first = event;
    return false;
  };
  try {
    await reading.from(at(position + 1), take, 1);
  } catch (error) {
    if (!isMisplaced(error)) throw error;
  }
  return first === undefined ? { after: 'start' } : { after: first.position, first };
};
