/** Events of `user-<id>`. */
import * as t from 'io-ts';
import { Sealed } from '../envelope.ts';
import { userAudience } from '../streams.ts';
import { defineEvent, NO_INTENTS, nobody } from './definition.ts';

/** What is inside the sealed part of a registration. */
export const Profile = t.type({ username: t.string, globalName: t.union([t.string, t.null]) });
export type Profile = t.TypeOf<typeof Profile>;

const UserRegistered = defineEvent({
  codec: t.type({
    userId: t.string,
    /** person: signs in; bot: has a token; imported: an author from elsewhere who cannot sign in. */
    kind: t.union([t.literal('person'), t.literal('bot'), t.literal('imported')]),
    /** Who made the bot. */
    ownerId: t.union([t.string, t.null]),
    sealed: Sealed,
  }),
  former: [],
  audiences: nobody,
  indexedFor: ({ data }) => [userAudience(data.userId)],
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: true,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: false,
  frequent: false,
  seals: Profile,
});

/** By their stored names. */
export const userEvents = {
  'user-registered': UserRegistered,
} as const;
