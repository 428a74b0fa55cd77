/**
 * The catalogue of events: each type's definition by its stable word, every list of types, and the way from stored JSON to
 * a checked value. A list is derived from the definitions, never written down a second time.
 */

import type * as t from 'io-ts';
import { type NewEvent, type Recorded, recordedAs } from '../envelope.ts';
import type { Audience } from '../streams.ts';
import { channelEvents } from './channel.ts';
import { type EventDefinition, type Feed, nobody } from './definition.ts';
import { directEvents } from './direct.ts';
import { guildEvents } from './guild.ts';
import { inviteEvents } from './invite.ts';
import { memberEvents } from './member.ts';
import { readEvents } from './read.ts';
import { userEvents } from './user.ts';

/** A new event is added beside its aggregate's others. */
export const catalogue = {
  ...channelEvents,
  ...guildEvents,
  ...memberEvents,
  ...inviteEvents,
  ...directEvents,
  ...userEvents,
  ...readEvents,
} as const;

type Catalogue = typeof catalogue;
export type EventType = keyof Catalogue;
export type EventData<K extends EventType> = t.TypeOf<Catalogue[K]['codec']>;

/** An event of the log whose data has been checked, in its newest form. Narrow it by `type`. */
export type ParleyEvent = { [K in EventType]: Recorded<K, EventData<K>> }[EventType];
export type EventOf<K extends EventType> = Extract<ParleyEvent, { type: K }>;
export type NewParleyEvent = { [K in EventType]: NewEvent<K, EventData<K>> }[EventType];

/** Types of the events that change rows of a view. */
export type TypesChanging<V extends string> = {
  [K in EventType]: V extends Catalogue[K]['changes'][number] ? K : never;
}[EventType];
/** Types of the events that the feed carries in this way. */
export type TypesCarried<F extends Feed> = { [K in EventType]: Catalogue[K]['feed'] extends F ? K : never }[EventType];
/** Types of the events that something must follow. */
export type FollowedUpType = { [K in EventType]: Catalogue[K]['followedUp'] extends true ? K : never }[EventType];

/** Text to be sealed under the key of `by` before the event is appended. */
export interface Secret {
  readonly by: string;
  readonly text: string;
}

/** What a decision yields: the event without its envelope, its typed text still in clear. */
export type DecidedEvent = {
  [K in EventType]: {
    readonly type: K;
    readonly data: Omit<EventData<K>, 'sealed'>;
    /** Overrides the clock: imported events keep their original time. */
    readonly time?: number;
  } & (Catalogue[K]['seals'] extends null ? { readonly secret?: never } : { readonly secret: Secret });
}[EventType];

/** Functions by type of event, one for each of `K`: a type that is missing is a compile error. */
export type ByType<K extends EventType, Args extends readonly unknown[], Result> = {
  readonly [T in K]: (event: EventOf<T>, ...args: Args) => Result;
};

/** The function of such a table for this event; `undefined` where the table is not about its type. */
export const handlerOf = <K extends EventType, Args extends readonly unknown[], Result>(
  table: ByType<K, Args, Result>,
  event: ParleyEvent,
): ((event: ParleyEvent, ...args: Args) => Result) | undefined =>
  (table as unknown as Readonly<Record<string, (event: ParleyEvent, ...args: Args) => Result>>)[event.type];

type Definition = EventDefinition<unknown, string, Feed, boolean>;

const definitions = catalogue as unknown as Readonly<Record<EventType, Definition>>;
/** Asked with words that may be anybody's. */
const byWord: ReadonlyMap<string, Definition> = new Map(Object.entries(definitions));

const versionIn = ({ former }: Definition): number => former.length + 1;

/** Version of a type's newest form. */
export const versionOf = (type: EventType): number => versionIn(definitions[type]);

// Lists of types.

export const EVENT_TYPES = Object.keys(catalogue) as readonly EventType[];

export const isEventType = (word: string): word is EventType => byWord.has(word);

const typesWith = (wanted: (definition: Definition) => boolean): readonly EventType[] =>
  EVENT_TYPES.filter((type) => wanted(definitions[type]));

export const typesChanging = <V extends string>(view: V): readonly TypesChanging<V>[] =>
  typesWith(({ changes }) => changes.includes(view)) as readonly TypesChanging<V>[];

export const FOLLOWED_UP = typesWith(({ followedUp }) => followedUp) as readonly FollowedUpType[];
/** Types of the events that the audience index files. */
export const INDEXED = typesWith((definition) => definition.indexedFor !== nobody);
export const FREQUENT = typesWith(({ frequent }) => frequent);

// Questions about one event. They are asked for every event, so they make nothing but their answer.

export const audiencesOf = (event: ParleyEvent): readonly Audience[] => definitions[event.type].audiences(event);

export const indexedFor = (event: ParleyEvent): readonly Audience[] => definitions[event.type].indexedFor(event);

/** Intents a session needs for at least one dispatch; the cheap question asked before rendering. `guildId` null: outside any. */
export const intentsOf = (type: EventType, guildId: string | null): number =>
  guildId === null ? definitions[type].intents.direct : definitions[type].intents.guild;

export const changesRights = (event: ParleyEvent): boolean => definitions[event.type].changesRights;

export const isInGuildCreate = (event: ParleyEvent): boolean => definitions[event.type].inGuildCreate;

export const isFollowedUp = (event: ParleyEvent): event is EventOf<FollowedUpType> =>
  definitions[event.type].followedUp;

/** Whether the feed carries it in this way. */
export const isCarried = <F extends Feed>(event: ParleyEvent, feed: F): event is EventOf<TypesCarried<F>> =>
  definitions[event.type].feed === feed;

// Reading.

export class UnreadableEvent extends Error {}

/**
 * Checks an event read from a store. What a former version wrote is brought into its newest form; the event itself is left
 * as it is.
 * @throws UnreadableEvent when the type is unknown or the data does not fit: the log was written by a newer Parley or damaged.
 */
export const decodeEvent = (event: Recorded): ParleyEvent => {
  const definition = byWord.get(event.type);
  if (definition !== undefined) {
    const newest = versionIn(definition);
    if (event.schema === newest) {
      // Asked whether it fits, not what does not: events are read many times, and decoding leaves 3 KB of garbage each time.
      if (definition.codec.is(event.data)) return event as ParleyEvent;
    } else {
      const data = definition.former[event.schema - 1]?.(event.data);
      if (data !== undefined) return recordedAs(event, event.position, data, newest) as ParleyEvent;
    }
  }
  throw new UnreadableEvent(
    `The event at position ${event.position} (${event.type}, schema ${event.schema}) cannot be read by this version of Parley.`,
  );
};
