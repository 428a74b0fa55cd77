/** What can be replayed, and how to ask for it. */
import * as t from 'io-ts';
import { integerText, text, timeFromIso } from '../../schemas/codecs.ts';
import { EVENT_TYPES, type EventType, isEventType } from '../../schemas/events/catalogue.ts';
import type { LineForm } from './lines.ts';

/** One stream, by sequence, both ends included. */
export interface ReplayOfStream {
  readonly stream: string;
  readonly from?: number;
  readonly to?: number;
}

/** The whole log, by position: after `after`, up to and including `to`. */
export interface ReplayOfLog {
  readonly after: number;
  readonly to?: number;
  /** Only streams whose name begins with this. */
  readonly prefix?: string;
  /** Wait at the head for new events instead of ending. */
  readonly follow?: boolean;
}

export type ReplayQuery = (ReplayOfStream | ReplayOfLog) & {
  readonly types?: readonly EventType[];
  /** Only events at or before this time; milliseconds since 1970. */
  readonly until?: number;
  readonly format: LineForm['format'];
};

const fromText = <A>(name: string, message: string, parse: (given: string) => A | undefined) =>
  new t.Type<A, string, unknown>(
    name,
    (u): u is A => u !== undefined,
    (u, context) => {
      const value = typeof u === 'string' ? parse(u) : undefined;
      return value === undefined ? t.failure(u, context, message) : t.success(value);
    },
    String,
  );

export const EventTypes = fromText<readonly EventType[]>(
  'event types separated by commas',
  `Must be event types separated by commas, of: ${EVENT_TYPES.join(', ')}.`,
  (given) => {
    const words = given.split(',');
    return words.every(isEventType) ? words : undefined;
  },
);

export type At = { readonly sequence: number } | { readonly time: number };

export const SequenceOrTime = fromText<At>(
  'sequence or ISO 8601 time',
  'Must be a sequence (a whole number) or an ISO 8601 time with its zone.',
  (given) => {
    if (/^\d{1,15}$/.test(given)) return { sequence: Number(given) };
    const time = timeFromIso(given);
    return time === undefined ? undefined : { time };
  },
);

export const Position = integerText(0, Number.MAX_SAFE_INTEGER);
export const StreamName = text(1, 200, 'stream');
