/** Events of `member-<guild>_<user>`. */
import * as t from 'io-ts';
import { Intent } from '../gateway/frames.ts';
import { guildAudience, userAudience } from '../streams.ts';
import { defineEvent, itsGuild, NO_INTENTS, reasoned } from './definition.ts';

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
  changes: ['guild-views'],
  followedUp: false,
  frequent: false,
  takesReason: false,
  seals: null,
} as const;

const MemberJoined = defineEvent({
  ...membership,
  codec: t.intersection([Membership, t.type({ invite: t.union([t.string, t.null]) })]),
});

const MemberLeft = defineEvent({
  ...membership,
  codec: Membership,
});

/** Everybody's own sessions are told without the intent for members. */
const MemberRolesChanged = defineEvent({
  ...membership,
  codec: reasoned(
    t.intersection([
      Membership,
      /** All that the member has afterwards, by id, in the order in which they were given. A later membership begins without. */
      t.type({ roles: t.array(t.string) }),
    ]),
  ),
  takesReason: true,
  intents: NO_INTENTS,
  changesRights: 'channels',
});

/** By their stored names. */
export const memberEvents = {
  'member-joined': MemberJoined,
  'member-left': MemberLeft,
  'member-roles-changed': MemberRolesChanged,
} as const;
