/** Reading what the server has acknowledged, from its leader. */
import {
  type AllStreamRecordedEvent,
  ErrorType,
  type EventStoreDBClient,
  type RecordedEvent,
} from '@eventstore/db-client';
import { decodeEvent, type ParleyEvent } from '../../schemas/events/index.ts';
import type { Page, ReadAll, ReadStream, StoredPage, StreamHead } from '../port.ts';
import { asking, isMisplaced, typeOf } from './connection.ts';
import { type AnyRecorded, isOurs, positionOf, sequenceOf, toRecorded, toStored } from './events.ts';
import { mendedPlaceOf, type Place, placeOf, Reading } from './reading.ts';

const MOST_PER_READ = 10_000;

export const toChecked = (recorded: AnyRecorded): ParleyEvent => decodeEvent(toRecorded(recorded));

export class Reader {
  readonly reading: Reading;
  /** Highest position of an event that was seen: the head is not below it. */
  private known = 0;

  constructor(client: EventStoreDBClient, silenceMs: number) {
    this.reading = new Reading(client, silenceMs);
  }

  async head(): Promise<number> {
    let found = 0;
    const take = (event: AllStreamRecordedEvent): boolean => {
      const position = positionOf(event);
      if (isOurs(event)) found = position;
      return found === 0 && position > this.known;
    };
    await asking(() => this.reading.backwards(take, 1));
    // The last may be one of the server's own.
    if (found === 0) await asking(() => this.reading.backwards(take));
    this.known = Math.max(this.known, found);
    return this.known;
  }

  async streamHead(stream: string): Promise<StreamHead> {
    const [last] = await this.recorded(stream, { fromRevision: 'end', direction: 'backwards', maxCount: 1 });
    return last === undefined
      ? { stream, sequence: 0, position: 0 }
      : { stream, sequence: sequenceOf(last), position: positionOf(last) };
  }

  async readStream({ stream, from, direction = 'forwards', limit }: ReadStream): Promise<readonly ParleyEvent[]> {
    if (!(limit >= 1 && limit <= MOST_PER_READ))
      throw new RangeError(`The limit of a read must be 1 to ${MOST_PER_READ}, not ${limit}.`);
    if (direction === 'backwards' && from !== undefined && from < 1) return [];
    const fromRevision = direction === 'backwards' && from === undefined ? 'end' : BigInt(Math.max(from ?? 1, 1) - 1);
    const events = await this.recorded(stream, { fromRevision, direction, maxCount: limit });
    return events.map(toChecked);
  }

  readAll(query: ReadAll): Promise<Page> {
    return this.scan(query, toChecked);
  }

  rawAll(query: ReadAll): Promise<StoredPage> {
    return this.scan(query, toStored);
  }

  /** A stream's events as the server has them. */
  recorded(stream: string, options: Parameters<Reading['stream']>[1]): Promise<readonly RecordedEvent[]> {
    return asking(async () => {
      const events: RecordedEvent[] = [];
      try {
        await this.reading.stream(stream, options, (event) => events.push(event) > 0);
      } catch (error) {
        if (typeOf(error) !== ErrorType.STREAM_NOT_FOUND) throw error;
      }
      return events;
    });
  }

  private async scan<E>(
    query: ReadAll,
    form: (event: AnyRecorded) => E,
  ): Promise<{ events: readonly E[]; through: number }> {
    const { after, types, prefix = '', limit } = query;
    // Asked first: what is committed in between may then be found, but is not claimed to have been looked at.
    const head = await this.head();
    if (after >= head || types?.length === 0) return { events: [], through: Math.max(after, head) };
    const isWanted = ({ type, streamId }: AnyRecorded): boolean =>
      streamId.startsWith(prefix) && (types === undefined || (types as readonly string[]).includes(type));
    const filtered = types !== undefined || prefix !== '';
    const found: AllStreamRecordedEvent[] = [];
    let last = after;
    const take = (event: AllStreamRecordedEvent): boolean => {
      const position = positionOf(event);
      if (position > head) return false;
      // A read begins with the event at its place, which has been seen.
      if (position > last && isOurs(event) && isWanted(event)) found.push(event);
      last = Math.max(last, position);
      return position < head && found.length < limit;
    };
    const look = async ({ after: place, first }: Place): Promise<void> => {
      found.length = 0;
      last = after;
      if (first !== undefined && !take(first)) return;
      await (filtered ? this.reading.wanted(place, { types, prefix }, take) : this.reading.from(place, take));
    };
    await asking(async () => {
      try {
        await look(placeOf(after));
      } catch (error) {
        if (!isMisplaced(error) || after === 0) throw error;
        await look(await mendedPlaceOf(this.reading, after));
      }
    });
    const through = found.length === limit ? positionOf(found.at(-1)!) : head;
    return { events: found.map(form), through };
  }
}
