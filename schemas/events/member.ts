/** Events of `member-<guild>_<user>`. */
import * as t from 'io-ts';
import { Sealed } from '../envelope.ts';
import { Intent } from '../gateway/frames.ts';
import { guildAudience, userAudience } from '../streams.ts';
import { LOGGED } from './channel.ts';
import {
  auditedInGuild,
  defineEvent,
  formerly,
  itsGuild,
  NO_INTENTS,
  nobody,
  reasoned,
  unaudited,
} from './definition.ts';

const Membership = t.type({ guildId: t.string, userId: t.string });

interface OfMember {
  readonly data: t.TypeOf<typeof Membership>;
}

/** Also filed for the user, who finds it even when no longer in the guild. */
const guildAndMember = ({ data }: OfMember) => [guildAudience(data.guildId), userAudience(data.userId)];
const membership = {
  former: [],
  audiences: itsGuild,
  indexedFor: guildAndMember,
  feed: 'structure',
  intents: { guild: Intent.guildMembers, direct: Intent.none },
  changesRights: true,
  standsAlone: false,
  inGuildCreate: true,
  changes: LOGGED,
  followedUp: false,
  frequent: false,
  auditedIn: auditedInGuild,
  takesReason: false,
  seals: null,
} as const;

const Joined = t.intersection([Membership, t.type({ invite: t.union([t.string, t.null]) })]);

const MemberJoined = defineEvent({
  ...membership,
  codec: t.intersection([
    Joined,
    t.type({
      /** The channel in which a process posts a message that they joined; null: in none. */
      announcedIn: t.union([t.string, t.null]),
    }),
  ]),
  former: [formerly(Joined, (data) => ({ ...data, announcedIn: null }))],
  // Only a bot is let in by somebody else.
  auditedIn: ({ actor, data: { guildId, userId } }) => (actor === userId ? undefined : guildId),
  followedUp: true,
});

const MemberLeft = defineEvent({
  ...membership,
  codec: reasoned(
    t.intersection([
      Membership,
      /** By whom: `left` by themselves, the others by whoever caused the event. A ban has its own event before this one. */
      t.type({ how: t.union([t.literal('left'), t.literal('kicked'), t.literal('banned')]) }),
    ]),
  ),
  former: [formerly(Membership, (data) => ({ ...data, how: 'left' as const }))],
  auditedIn: ({ data: { guildId, how } }) => (how === 'kicked' ? guildId : undefined),
  takesReason: true,
  // A bot's role goes with it.
  followedUp: true,
});

/** Everybody's own sessions are told of these without the intent for members. */
const changed = { ...membership, intents: NO_INTENTS, takesReason: true } as const;

const MemberRolesChanged = defineEvent({
  ...changed,
  codec: reasoned(
    t.intersection([
      Membership,
      /** All that the member has afterwards, by id, in the order in which they were given. A later membership begins without. */
      t.type({ roles: t.array(t.string) }),
    ]),
  ),
  changesRights: 'channels',
});

/** Inside the sealed part of a nickname. Null: none. */
export const Nickname = t.type({ nick: t.union([t.string, t.null]) });
export type Nickname = t.TypeOf<typeof Nickname>;

/** Sealed under the member's key, whoever gave it. A later membership begins without. */
const MemberRenamed = defineEvent({
  ...changed,
  codec: reasoned(t.intersection([Membership, t.type({ sealed: Sealed })])),
  changesRights: false,
  seals: Nickname,
});

/** Leaves what the member sees. It lasts over the end of the membership. */
const MemberTimedOut = defineEvent({
  ...changed,
  codec: reasoned(
    t.intersection([
      Membership,
      /** Milliseconds since 1970; null: no longer. */
      t.type({ until: t.union([t.number, t.null]) }),
    ]),
  ),
  changesRights: false,
});

const banning = {
  ...membership,
  indexedFor: itsGuild,
  intents: { guild: Intent.guildModeration, direct: Intent.none },
  changesRights: false,
  inGuildCreate: false,
  changes: ['bans', 'audit-log'],
  takesReason: true,
} as const;

/** Of a member the end of the membership follows. */
const MemberBanned = defineEvent({
  ...banning,
  codec: reasoned(
    t.intersection([
      Membership,
      /** How far back in time their messages in the guild are deleted. */
      t.type({ deleteMessageSeconds: t.number }),
    ]),
  ),
  followedUp: true,
});

const MemberUnbanned = defineEvent({ ...banning, codec: reasoned(Membership) });

/** Only the member's own stream asks for these: whoever owns a guild stays in it. */
const owning = {
  former: [],
  audiences: nobody,
  indexedFor: nobody,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: [],
  followedUp: false,
  frequent: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
} as const;

/** The member takes the guild. */
const OwnershipTaken = defineEvent({
  ...owning,
  /** Number of the `transfer-requested` in the guild's stream. */
  codec: t.intersection([Membership, t.type({ request: t.number })]),
});

/** The guild is another's. */
const OwnershipEnded = defineEvent({
  ...owning,
  /** What the member has taken by a later request stays. */
  codec: t.intersection([Membership, t.type({ request: t.number })]),
});

/** By their stored names. */
export const memberEvents = {
  'member-joined': MemberJoined,
  'member-left': MemberLeft,
  'member-roles-changed': MemberRolesChanged,
  'member-renamed': MemberRenamed,
  'member-timed-out': MemberTimedOut,
  'member-banned': MemberBanned,
  'member-unbanned': MemberUnbanned,
  'ownership-taken': OwnershipTaken,
  'ownership-ended': OwnershipEnded,
} as const;
