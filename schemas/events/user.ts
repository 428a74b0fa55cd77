/** Events of `user-<id>`. */
import * as t from 'io-ts';
import { Sealed } from '../envelope.ts';
import { Intent } from '../gateway/frames.ts';
import { guildAudience, userAudience } from '../streams.ts';
import { defineEvent, NO_INTENTS, nobody, unaudited } from './definition.ts';

const orNull = <C extends t.Mixed>(codec: C) => t.union([codec, t.null]);

/** What people say about themselves beside their names. */
export const About = t.type({
  bio: orNull(t.string),
  pronouns: orNull(t.string),
  /** 24 bits: red, green, blue. */
  accentColor: orNull(t.number),
  status: orNull(t.string),
});
export type About = t.TypeOf<typeof About>;

export const NO_ABOUT: About = { bio: null, pronouns: null, accentColor: null, status: null };

/** What is inside the sealed part of a registration and of a change of profile. */
export const Profile = t.intersection([
  t.type({ username: t.string, globalName: orNull(t.string) }),
  t.partial({ about: About }),
]);
export type Profile = t.TypeOf<typeof Profile>;

const ofUser = {
  former: [],
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: true,
  standsAlone: false,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: false,
  frequent: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
} as const;

const UserRegistered = defineEvent({
  ...ofUser,
  codec: t.type({
    userId: t.string,
    /** person: signs in; bot: has a token; imported: an author from elsewhere who cannot sign in. */
    kind: t.union([t.literal('person'), t.literal('bot'), t.literal('imported')]),
    /** Who made the bot. */
    ownerId: t.union([t.string, t.null]),
    sealed: Sealed,
  }),
  audiences: nobody,
  indexedFor: ({ data }) => [userAudience(data.userId)],
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
  ...ofUser,
  codec: t.intersection([t.type({ userId: t.string }), SignedOut]),
  audiences: ({ data }) => [userAudience(data.userId)],
  indexedFor: nobody,
});

interface OfUser {
  readonly data: { readonly userId: string; readonly guilds: readonly string[] };
}

/** The user, and those who shared a guild with them when it happened. */
const userAndGuilds = ({ data: { userId, guilds } }: OfUser) => [userAudience(userId), ...guilds.map(guildAudience)];

const toldInGuilds = {
  ...ofUser,
  audiences: userAndGuilds,
  indexedFor: userAndGuilds,
  intents: { guild: Intent.guildMembers, direct: Intent.none },
  inGuildCreate: true,
} as const;

const UserProfileChanged = defineEvent({
  ...toldInGuilds,
  codec: t.type({
    userId: t.string,
    /** Ids of the guilds that the user is in. */
    guilds: t.array(t.string),
    sealed: Sealed,
  }),
  seals: Profile,
});

/** Whether somebody may use their account. */
export const Standing = t.type({
  /** An administrator has shut the account. */
  disabled: t.boolean,
  /** When it is to be deleted, in milliseconds since 1970. Signing in before takes that back. */
  due: orNull(t.number),
  deleted: t.boolean,
});
export type Standing = t.TypeOf<typeof Standing>;

export const GOOD_STANDING: Standing = { disabled: false, due: null, deleted: false };

/** Its sessions end, whatever their tokens. */
export const mayAct = ({ disabled, due, deleted }: Standing): boolean => !disabled && due === null && !deleted;

/** The event says the whole of it. */
const UserStandingChanged = defineEvent({
  ...ofUser,
  codec: t.type({ userId: t.string, standing: Standing }),
  audiences: ({ data }) => [userAudience(data.userId)],
  indexedFor: nobody,
});

/** Their key is destroyed next, and they leave these guilds. */
const UserDeleted = defineEvent({
  ...toldInGuilds,
  codec: t.type({ userId: t.string, guilds: t.array(t.string) }),
  followedUp: true,
});

/** By their stored names. */
export const userEvents = {
  'user-registered': UserRegistered,
  'user-signed-out': UserSignedOut,
  'user-profile-changed': UserProfileChanged,
  'user-standing-changed': UserStandingChanged,
  'user-deleted': UserDeleted,
} as const;
