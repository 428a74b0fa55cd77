/** Events of `read-<user>`: how far a person has read. */
import * as t from 'io-ts';
import { userAudience } from '../streams.ts';
import { defineEvent, formerly, NO_INTENTS, unaudited } from './definition.ts';

const Read = t.type({
  userId: t.string,
  /** Ordinal of the last message read, by channel id. */
  channels: t.record(t.string, t.number),
  /** True on every thousandth event. `channels` and `back` are then whole, and a reader can start there. */
  whole: t.boolean,
});

const ChannelsRead = defineEvent({
  codec: t.intersection([
    Read,
    t.type({
      /**
       * Of channels that the person marked as unread from a message on: the ordinal of the last message then. What they have
       * said up to it does not count as read.
       */
      back: t.record(t.string, t.number),
    }),
  ]),
  former: [formerly(Read, (data) => ({ ...data, back: {} }))],
  audiences: ({ data }) => [userAudience(data.userId)],
  indexedFor: ({ data }) => [userAudience(data.userId)],
  feed: 'person',
  intents: NO_INTENTS,
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: ['unread'],
  followedUp: false,
  frequent: true,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
});

/** By their stored names. */
export const readEvents = {
  'channels-read': ChannelsRead,
} as const;
