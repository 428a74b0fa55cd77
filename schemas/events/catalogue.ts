/**
 * The catalogue of events: each type's definition by its stored name, every list of types, and decoding of stored JSON.
 * Lists are derived from the definitions and never written by hand.
 */

import type * as t from 'io-ts';
import { type NewEvent, type Recorded, recordedAs } from '../envelope.ts';
import { type Audience, guildAudience } from '../streams.ts';
import { channelEvents } from './channel.ts';
import { creationEvents } from './creation.ts';
import { type ChangesRights, type EventDefinition, type Feed, nobody, unaudited } from './definition.ts';
import { directEvents } from './direct.ts';
import { groupEvents } from './group.ts';
import { guildEvents } from './guild.ts';
import { instanceEvents } from './instance.ts';
import { inviteEvents } from './invite.ts';
import { memberEvents } from './member.ts';
import { readEvents } from './read.ts';
import { relationshipEvents } from './relationship.ts';
import { reportEvents } from './report.ts';
import { settingsEvents } from './settings.ts';
import { threadEvents } from './thread.ts';
import { userEvents } from './user.ts';

/** Add a new event beside the others of its aggregate. */
export const catalogue = {
  ...channelEvents,
  ...threadEvents,
  ...groupEvents,
  ...guildEvents,
  ...memberEvents,
  ...inviteEvents,
  ...directEvents,
  ...relationshipEvents,
  ...reportEvents,
  ...userEvents,
  ...readEvents,
  ...settingsEvents,
  ...creationEvents,
  ...instanceEvents,
} as const;

type Catalogue = typeof catalogue;
export type EventType = keyof Catalogue;
export type EventData<K extends EventType> = t.TypeOf<Catalogue[K]['codec']>;

/** A checked event of the log with data in its newest form. Narrow it by `type`. */
export type ParleyEvent = { [K in EventType]: Recorded<K, EventData<K>> }[EventType];
export type EventOf<K extends EventType> = Extract<ParleyEvent, { type: K }>;
export type NewParleyEvent = { [K in EventType]: NewEvent<K, EventData<K>> }[EventType];

/** Types of events that change rows of a view. */
export type TypesChanging<V extends string> = {
  [K in EventType]: V extends Catalogue[K]['changes'][number] ? K : never;
}[EventType];
/** Types of events that the feed carries this way. */
export type TypesCarried<F extends Feed> = { [K in EventType]: Catalogue[K]['feed'] extends F ? K : never }[EventType];
/** Types of events that a process must follow up. */
export type FollowedUpType = { [K in EventType]: Catalogue[K]['followedUp'] extends true ? K : never }[EventType];

/** Types of events by which members of a guild may gain or lose channels. */
export type AccessType = {
  [K in EventType]: Catalogue[K]['changesRights'] extends 'channels' ? K : never;
}[EventType];

/** Text to be sealed under the key of `by` before the event is appended. */
export interface Secret {
  readonly by: string;
  readonly text: string;
}

/** The result of a decision: an event without its envelope, its typed text still unencrypted. */
export type DecidedEvent = {
  [K in EventType]: {
    readonly type: K;
    readonly data: Omit<EventData<K>, 'sealed' | 'reason'>;
    /** Overrides the clock: imported events keep their original time. */
    readonly time?: number;
  } & (Catalogue[K]['seals'] extends null ? { readonly secret?: never } : { readonly secret: Secret });
}[EventType];

/** Functions by event type, one for each of `K`. A missing type is a compile error. */
export type ByType<K extends EventType, Args extends readonly unknown[], Result> = {
  readonly [T in K]: (event: EventOf<T>, ...args: Args) => Result;
};

/** The table's function for this event; `undefined` when the table does not cover its type. */
export const handlerOf = <K extends EventType, Args extends readonly unknown[], Result>(
  table: ByType<K, Args, Result>,
  event: ParleyEvent,
): ((event: ParleyEvent, ...args: Args) => Result) | undefined =>
  (table as unknown as Readonly<Record<string, (event: ParleyEvent, ...args: Args) => Result>>)[event.type];

type Definition = EventDefinition<unknown, string, Feed, boolean, ChangesRights>;

const definitions = catalogue as unknown as Readonly<Record<EventType, Definition>>;
/** For lookups with untrusted names. */
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
/** Types of events that the audience index files. */
export const INDEXED = typesWith(
  ({ indexedFor: filed, auditedIn: audited }) => filed !== nobody || audited !== unaudited,
);
/** Whether an audit log names events of the type. */
export const mayBeAudited = (type: EventType): boolean => definitions[type].auditedIn !== unaudited;
/** Whether the audience index files events of the type for nobody but those who may read the audit log. */
export const isFiledForAuditors = (type: EventType): boolean => definitions[type].indexedFor === nobody;
/** Types of acts whose reason is kept: `toNewEvent` seals it. */
export const takesReason = (type: EventType): boolean => definitions[type].takesReason;
export const FREQUENT = typesWith(({ frequent }) => frequent);
/** Types of events that change any of these views, but for those as frequent as messages, of which a log has no list. */
export const listedTypesChanging = (views: readonly string[]): readonly EventType[] =>
  typesWith(({ changes, frequent }) => !frequent && views.some((view) => changes.includes(view)));

// Questions about one event. They are asked for every event, so they allocate nothing but the answer.

export const audiencesOf = (event: ParleyEvent): readonly Audience[] => definitions[event.type].audiences(event);

/** The guild whose audit log names the event; `undefined`: none. */
export const auditedIn = (event: ParleyEvent): string | undefined => definitions[event.type].auditedIn(event);

export const indexedFor = (event: ParleyEvent): readonly Audience[] => {
  const filed = definitions[event.type].indexedFor(event);
  const guildId = auditedIn(event);
  if (guildId === undefined) return filed;
  const audience = guildAudience(guildId);
  return filed.includes(audience) ? filed : [...filed, audience];
};

/** Intents a session needs for at least one dispatch: a cheap check before rendering. `guildId` null: no guild. */
export const intentsOf = (type: EventType, guildId: string | null): number =>
  guildId === null ? definitions[type].intents.direct : definitions[type].intents.guild;

export const changesRights = (event: ParleyEvent): boolean => definitions[event.type].changesRights !== false;

/** Whether members of its guild may gain or lose channels by it. */
export const changesAccess = (event: ParleyEvent): event is EventOf<AccessType> =>
  definitions[event.type].changesRights === 'channels';

/** Whether its dispatches may leave before the views hold it. */
export const standsAlone = (event: ParleyEvent): boolean => {
  const alone = definitions[event.type].standsAlone;
  return alone === 'withoutReply' ? (event as EventOf<'message-posted'>).data.replyTo === null : alone;
};

export const isInGuildCreate = (event: ParleyEvent): boolean => definitions[event.type].inGuildCreate;

export const isFollowedUp = (event: ParleyEvent): event is EventOf<FollowedUpType> =>
  definitions[event.type].followedUp;

/** Whether the feed carries the event this way: what an audit log names, to every gateway. */
export const isCarried = <F extends Feed>(event: ParleyEvent, feed: F): event is EventOf<TypesCarried<F>> =>
  (auditedIn(event) === undefined ? definitions[event.type].feed : 'structure') === feed;

// Decoding.

/** An event of the log that this version of Parley cannot read. */
export class UnreadableEvent extends Error {
  readonly event: Pick<Recorded, 'stream' | 'sequence' | 'position'>;

  constructor(event: UnreadableEvent['event'], message: string) {
    super(message);
    this.event = event;
  }
}

/**
 * Checks an event read from a store and brings older data into the newest form. The event passed in is not changed.
 * @throws UnreadableEvent when the type is unknown or the data does not fit: the log was written by a newer Parley or damaged.
 */
export const decodeEvent = (event: Recorded): ParleyEvent => {
  const definition = byWord.get(event.type);
  if (definition !== undefined) {
    const newest = versionIn(definition);
    if (event.schema === newest) {
      // `is`, not `decode`: events are read many times, and decoding leaves 3 KB of garbage each time.
      if (definition.codec.is(event.data)) return event as ParleyEvent;
    } else {
      const data = definition.former[event.schema - 1]?.(event.data);
      if (data !== undefined) return recordedAs(event, event.position, data, newest) as ParleyEvent;
    }
  }
  throw new UnreadableEvent(
    event,
    `The event at position ${event.position} (${event.type}, schema ${event.schema}) cannot be read by this version of Parley.`,
  );
};

/** As `decodeEvent`, for data that is still JSON text. @throws UnreadableEvent also when it is none */
export const decodeStored = (event: Recorded<string, string>): ParleyEvent => {
  let data: unknown;
  try {
    data = JSON.parse(event.data);
  } catch {
    throw new UnreadableEvent(
      event,
      `The event at position ${event.position} (${event.type}) is damaged: its data is no JSON.`,
    );
  }
  return decodeEvent(recordedAs(event, event.position, data));
};
