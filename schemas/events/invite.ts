/** Events of `invite-<code>`. Only capped invites record who redeemed them, since only the cap needs a total order. */
import * as t from 'io-ts';
import { Intent } from '../gateway/frames.ts';
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

const Created = t.type({
  code: t.string,
  guildId: t.string,
  channelId: t.string,
  inviterId: t.string,
  /** 0: any number. */
  maxUses: t.number,
  /** Milliseconds since 1970; null: never. */
  expiresAt: t.union([t.number, t.null]),
});

/** Told to the guild: that an invite begins, and that it ends. */
const told = {
  former: [],
  audiences: itsGuild,
  indexedFor: itsGuild,
  feed: 'structure',
  intents: { guild: Intent.guildInvites, direct: Intent.none },
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: LOGGED,
  followedUp: false,
  frequent: false,
  auditedIn: auditedInGuild,
  takesReason: true,
  seals: null,
} as const;

const InviteCreated = defineEvent({
  ...told,
  codec: reasoned(Created),
  former: [formerly(Created, (data) => data)],
});

const InviteRedeemed = defineEvent({
  codec: t.type({ code: t.string, guildId: t.string, userId: t.string }),
  former: [],
  audiences: nobody,
  indexedFor: nobody,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: true,
  frequent: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
});

/** It admits nobody any more. */
const InviteDeleted = defineEvent({
  ...told,
  codec: reasoned(t.type({ code: t.string, guildId: t.string, channelId: t.string })),
});

/** By their stored names. */
export const inviteEvents = {
  'invite-created': InviteCreated,
  'invite-redeemed': InviteRedeemed,
  'invite-deleted': InviteDeleted,
} as const;
