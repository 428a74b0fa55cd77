/** Reading acknowledged events, from the leader. */

import { ErrorType, type RecordedEvent } from '@eventstore/db-client';
import { decodeEvent, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { inParallel } from '../../schemas/parallel.ts';
import { typeOf } from '../../stores/kurrentdb/failures.ts';
import type { Line, ReadingConnection } from '../../stores/kurrentdb/reading-connection.ts';
import {
  type Appended,
  checkLimit,
  filled,
  isFull,
  type Page,
  PageSize,
  type ReadAll,
  type ReadStream,
  type StoredEvent,
  type StoredPage,
  type StreamHead,
} from '../port.ts';
import { Acknowledged } from './acknowledged.ts';
import { type AnyRecorded, isOurs, type Placed, positionOf, sequenceOf, toRecorded, toStored } from './events.ts';
import type { ForeignEvents } from './foreign.ts';
import { Head } from './head.ts';
import { deletedForGood, deletedSoftly, emptied, missingIn, ReadForbidden } from './missing.ts';
import { Places } from './places.ts';
import { Reading, type StreamRange } from './reading.ts';
import { Following } from './subscription.ts';

const PIECE = 1_000;
const HEADS_AT_ONCE = 8;

interface Found<E> {
  readonly found: readonly E[];
  /** Whether there are no more. */
  readonly ended: boolean;
}

/** `state` tells a stream without events from one that is not there. */
interface FoundInStream extends Found<RecordedEvent> {
  readonly state: 'there' | 'not found' | 'deleted for good' | 'forbidden';
}

const STATES: ReadonlyMap<ErrorType | undefined, FoundInStream['state']> = new Map([
  [ErrorType.STREAM_NOT_FOUND, 'not found'],
  [ErrorType.STREAM_DELETED, 'deleted for good'],
  [ErrorType.ACCESS_DENIED, 'forbidden'],
]);

const LAST: StreamRange = { fromRevision: 'end', direction: 'backwards', maxCount: 1 };

export const toChecked = (recorded: AnyRecorded): ParleyEvent => decodeEvent(toRecorded(recorded));

export class Reader {
  readonly reading: Reading;
  readonly places: Places;
  readonly head: Head;
  private readonly connection: ReadingConnection;
  private readonly foreign: ForeignEvents;
  private readonly acknowledged = new Acknowledged();

  constructor(connection: ReadingConnection, foreign: ForeignEvents) {
    this.connection = connection;
    this.foreign = foreign;
    this.reading = new Reading(connection);
    this.places = new Places(this.reading);
    this.head = new Head(connection, this.reading, this.places);
  }

  /** From now on no read answers with less. */
  acknowledge(events: Appended): void {
    this.acknowledged.add(events);
    this.head.acknowledged(events.at(-1)!.position);
  }

  /** @throws EventsMissing if the stream had events and has none; ReadForbidden */
  async last(stream: string): Promise<RecordedEvent | undefined> {
    return (await this.whole(stream, LAST)).found[0];
  }

  /** @throws EventsMissing, ReadForbidden */
  async streamHead(stream: string): Promise<StreamHead> {
    const last = await this.last(stream);
    return last === undefined
      ? { stream, sequence: 0, position: 0 }
      : { stream, sequence: sequenceOf(last), position: positionOf(last) };
  }

  /** The server answers for one stream at a time. */
  streamHeads(streams: readonly string[]): Promise<readonly StreamHead[]> {
    return inParallel(streams, HEADS_AT_ONCE, (stream) => this.streamHead(stream));
  }

  /** @throws EventsMissing where an operator has hidden or removed events that belong into the answer; ReadForbidden */
  async readStream({ stream, from, direction = 'forwards', limit }: ReadStream): Promise<readonly ParleyEvent[]> {
    checkLimit(limit);
    if (direction === 'backwards' && from !== undefined && from < 1) return [];
    const first = direction === 'backwards' && from === undefined ? 'end' : BigInt(Math.max(from ?? 1, 1) - 1);
    const step = direction === 'backwards' ? -1 : 1;
    return filled<ParleyEvent>(async (last, maxCount) => {
      const next = last === undefined ? undefined : last.sequence + step;
      if (next === 0) return { events: [], ended: true };
      const fromRevision = next === undefined ? first : BigInt(next - 1);
      const { found, ended } = await this.whole(stream, { fromRevision, direction, maxCount });
      return { events: found.map(toChecked), ended };
    }, limit);
  }

  readAll(query: ReadAll): Promise<Page> {
    return this.scan(query, toChecked);
  }

  rawAll(query: ReadAll): Promise<StoredPage> {
    return this.scan(query, toStored);
  }

  /**
   * A stream's events in the server's form, as many as a page has, whatever is missing between them.
   * @throws ReadForbidden
   */
  async recorded(stream: string, range: StreamRange): Promise<FoundInStream> {
    const answer = await this.connection.ask(async (line): Promise<FoundInStream> => {
      await this.reading.fresh(line, this.acknowledged.of(stream));
      const found: RecordedEvent[] = [];
      const size = new PageSize(range.maxCount);
      const take = (event: RecordedEvent): boolean => {
        found.push(event);
        size.add(event);
        return !size.isFull;
      };
      try {
        await this.reading.stream(line, stream, range, take);
        return { found, ended: !size.isFull, state: 'there' };
      } catch (error) {
        const state = STATES.get(typeOf(error));
        if (state === undefined) throw error;
        // Fails too where our user may read nothing at all.
        if (state === 'forbidden') await this.reading.last(line);
        return { found: [], ended: true, state };
      }
    });
    if (answer.state === 'forbidden') throw new ReadForbidden(stream);
    return answer;
  }

  /** @throws EventsMissing where events are missing */
  private async whole(stream: string, range: StreamRange): Promise<FoundInStream> {
    const answer = await this.recorded(stream, range);
    const { found, ended, state } = answer;
    if (state === 'deleted for good') throw deletedForGood(stream);
    if (state === 'not found') {
      if (await this.isDeletedSoftly(stream)) throw deletedSoftly(stream);
      return answer;
    }
    const missing = missingIn(stream, found, range, ended);
    if (missing !== undefined) throw missing;
    if (found.length === 0 && !(await this.endsBefore(stream, range))) throw emptied(stream);
    return answer;
  }

  /** A soft delete is a note of the server beside the stream: all that came before is cut off. */
  private async isDeletedSoftly(stream: string): Promise<boolean> {
    const { found } = await this.recorded(`$$${stream}`, LAST);
    return (found[0]?.data as { readonly $tb?: number } | undefined)?.$tb !== undefined;
  }

  private async endsBefore(stream: string, { fromRevision, direction }: StreamRange): Promise<boolean> {
    if (direction === 'backwards' || fromRevision === 'end') return false;
    const { found } = await this.recorded(stream, LAST);
    return found[0] !== undefined && found[0].revision < fromRevision;
  }

  private async scan<E extends ParleyEvent | StoredEvent>(
    query: ReadAll,
    form: (event: AnyRecorded) => E,
  ): Promise<{ events: readonly E[]; through: number }> {
    const { after, types, limit } = query;
    // A page that fills before the head known from earlier pages needs no newer one.
    let head = this.head.known;
    let isNew = after >= head || types?.length === 0;
    // Take the head first: a later commit may be found, but never counts as searched by mistake.
    if (isNew) head = await this.head.ask();
    if (after >= head || types?.length === 0) return { events: [], through: Math.max(after, head) };
    let searched = after;
    const events = await filled<E>(async (last, most) => {
      const beyond = Math.max(last?.position ?? after, searched);
      const { found, ended } = await this.between({ ...query, after: beyond, limit: most }, head);
      if (!ended || isNew) return { events: found.map(form), ended };
      searched = head;
      head = await this.head.ask();
      isNew = true;
      return { events: found.map(form), ended: searched === head };
    }, limit);
    return { events, through: isFull(events, limit) ? events.at(-1)!.position : head };
  }

  /** The events of a query up to the head, in the server's form, as many as a page has. */
  private async between(query: ReadAll, head: number): Promise<Found<Placed>> {
    const { after, types, prefix = '', limit } = query;
    if (after >= head) return { found: [], ended: true };
    const isWanted = ({ type, streamId }: AnyRecorded): boolean =>
      streamId.startsWith(prefix) && (types === undefined || (types as readonly string[]).includes(type));
    return this.connection.ask(async (line) => {
      const { turns } = line;
      await this.reading.fresh(line, head);
      const found: Placed[] = [];
      const size = new PageSize(limit);
      const take = (event: Placed): boolean => {
        const position = positionOf(event);
        if (position > head) return false;
        if (position > after && !isOurs(event)) this.foreign.passed(event);
        else if (position > after && isWanted(event)) {
          found.push(event);
          size.add(event);
        }
        return position < head && !size.isFull;
      };
      await this.passing(line, query, take);
      // Another server may have had less.
      if (!size.isFull && line.turns !== turns) throw new Error('KurrentDB has changed its leader');
      return { found, ended: !size.isFull };
    });
  }

  /** Events beyond a position, to the end of the log or until taken. May include more than wanted. */
  private async passing(
    line: Line,
    { after, types, prefix }: ReadAll,
    take: (event: Placed) => boolean,
  ): Promise<void> {
    const { behind, first } = await this.places.beginning(line, after);
    if (first !== undefined && !take(first)) return;
    const { clock, silenceMs } = this.reading;
    const following = new Following(line, clock, behind, { types, prefix });
    try {
      for (;;) {
        for (const signal of await following.next(PIECE, { silenceMs })) {
          if (signal.kind === 'caught up') return;
          if (signal.kind === 'event' && !take(signal.event)) return;
        }
      }
    } finally {
      following.stop();
    }
  }
}
