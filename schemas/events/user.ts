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
  standsAlone: false,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: false,
  frequent: false,
  takesReason: false,
  seals: Profile,
});

/** Which of a user's tokens no longer count, although they are signed and have not expired. */
export const SignedOut = t.type({
  /** The generation that tokens must have: a later one ended all before it. */
  generation: t.number,
  /** Sign-ins of that generation that ended, each until its last token has expired: milliseconds since 1970. */
  signIns: t.array(t.type({ id: t.string, until: t.number })),
});
export type SignedOut = t.TypeOf<typeof SignedOut>;

export const NEVER_SIGNED_OUT: SignedOut = { generation: 0, signIns: [] };

/** Each event says the whole of it. */
const UserSignedOut = defineEvent({
  codec: t.intersection([t.type({ userId: t.string }), SignedOut]),
  former: [],
  audiences: ({ data }) => [userAudience(data.userId)],
  indexedFor: nobody,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: true,
  standsAlone: false,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: false,
  frequent: false,
  takesReason: false,
  seals: null,
});

/** By their stored names. */
export const userEvents = {
  'user-registered': UserRegistered,
  'user-signed-out': UserSignedOut,
} as const;
