/** Events of `dm-<low>_<high>`: which channel belongs to a pair of people. */
import * as t from 'io-ts';
import { userAudience } from '../streams.ts';
import { defineEvent, NO_INTENTS, nobody, unaudited } from './definition.ts';

const DirectOpened = defineEvent({
  codec: t.type({ channelId: t.string, participants: t.array(t.string) }),
  former: [],
  audiences: nobody,
  indexedFor: ({ data }) => data.participants.map(userAudience),
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: true,
  standsAlone: false,
  inGuildCreate: false,
  changes: [],
  followedUp: true,
  frequent: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
});

/** By their stored names. */
export const directEvents = {
  'dm-opened': DirectOpened,
} as const;
