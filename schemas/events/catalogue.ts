/** Every event Parley stores, by its stable type word, and the way from stored JSON to a checked value. */

import type * as t from 'io-ts';
import type { NewEvent, Recorded } from '../envelope.ts';
import * as channel from './channel.ts';
import { DirectOpened } from './direct.ts';
import { GuildCreated } from './guild.ts';
import { InviteCreated, InviteRedeemed } from './invite.ts';
import { MemberJoined, MemberLeft } from './member.ts';
import { ChannelsRead } from './read.ts';
import { UserRegistered } from './user.ts';

/** The newest form of each event's data. */
export const eventData = {
  'channel-created': channel.ChannelCreated,
  'message-posted': channel.MessagePosted,
  'message-edited': channel.MessageEdited,
  'message-deleted': channel.MessageDeleted,
  'reaction-added': channel.ReactionAdded,
  'reaction-removed': channel.ReactionRemoved,
  'guild-created': GuildCreated,
  'member-joined': MemberJoined,
  'member-left': MemberLeft,
  'invite-created': InviteCreated,
  'invite-redeemed': InviteRedeemed,
  'dm-opened': DirectOpened,
  'user-registered': UserRegistered,
  'channels-read': ChannelsRead,
} as const;

export type EventType = keyof typeof eventData;
export type EventData<K extends EventType> = t.TypeOf<(typeof eventData)[K]>;

/** An event of the log whose data has been checked. Narrow it by `type`. */
export type ParleyEvent = { [K in EventType]: Recorded<K, EventData<K>> }[EventType];
export type EventOf<K extends EventType> = Extract<ParleyEvent, { type: K }>;
export type NewParleyEvent = { [K in EventType]: NewEvent<K, EventData<K>> }[EventType];

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
    readonly secret?: Secret;
    /** Overrides the clock: imported events keep their original time. */
    readonly time?: number;
  };
}[EventType];

/** Version of every event's data. A type that changes gets its own number and an upcast from the former one. */
export const EVENT_SCHEMA = 1;

export class UnreadableEvent extends Error {}

/**
 * Checks an event read from a store, in its newest form.
 * @throws UnreadableEvent when the type is unknown or the data does not fit: the log was written by a newer Parley or damaged.
 */
export const decodeEvent = (event: Recorded): ParleyEvent => {
  const codec = eventData[event.type as EventType] as t.Type<unknown, unknown, unknown> | undefined;
  // Asked whether it fits, not what does not: events are read many times, and decoding leaves 3 KB of garbage each time.
  if (codec === undefined || event.schema > EVENT_SCHEMA || !codec.is(event.data)) {
    throw new UnreadableEvent(
      `The event at position ${event.position} (${event.type}, schema ${event.schema}) cannot be read by this version of Parley.`,
    );
  }
  return event as ParleyEvent;
};
