/** Events of `read-<user>`: how far a person has read. */
import * as t from 'io-ts';
import { userAudience } from '../streams.ts';
import { defineEvent, NO_INTENTS } from './definition.ts';

const ChannelsRead = defineEvent({
  codec: t.type({
    userId: t.string,
    /** Ordinal of the last message read, by channel id. */
    channels: t.record(t.string, t.number),
    /** True on every thousandth event. `channels` is then the whole map, and a reader can start there. */
    whole: t.boolean,
  }),
  former: [],
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
  takesReason: false,
  seals: null,
});

/** By their stored names. */
export const readEvents = {
  'channels-read': ChannelsRead,
} as const;
