/** Events of `guild-<id>`: its structure, small enough to fold. */
import * as t from 'io-ts';
import { Created, formerlyCreated, LOGGED, Overwrite, structure } from './channel.ts';
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

const Founded = t.type({
  guildId: t.string,
  name: t.string,
  ownerId: t.string,
  /** Permissions of @everyone, a bit set as a decimal string. */
  everyone: t.string,
  /** The text channel that a process creates with the guild. */
  firstChannel: t.type({ id: t.string, name: t.string }),
});

/** To create public and private threads and to write in them: bits 35, 36 and 38. */
const THREADS = (1n << 35n) | (1n << 36n) | (1n << 38n);
const SEND_MESSAGES = 1n << 11n;

/** Before threads had permissions of their own, whoever could write could do all that there is. */
const withThreads = (everyone: string): string => {
  const bits = BigInt(everyone);
  return String((bits & SEND_MESSAGES) === 0n ? bits : bits | THREADS);
};

const GuildCreated = defineEvent({
  codec: t.intersection([
    Founded,
    t.type({
      /** Where its system messages are posted at first. Null: guilds of former versions began without. */
      systemChannelId: t.union([t.string, t.null]),
    }),
  ]),
  former: [
    formerly(Founded, (data) => ({ ...data, everyone: withThreads(data.everyone), systemChannelId: null })),
    formerly(Founded, (data) => ({ ...data, systemChannelId: null })),
  ],
  audiences: nobody,
  indexedFor: itsGuild,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: true,
  standsAlone: false,
  inGuildCreate: false,
  changes: LOGGED,
  followedUp: true,
  frequent: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
});

/** What a process does in the channels' streams. */
const requested = {
  audiences: nobody,
  indexedFor: nobody,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: [],
  followedUp: true,
  frequent: false,
  seals: null,
} as const;

/** The guild's stream bounds the number of its channels, so it takes the request; a process creates the channel. */
const ChannelRequested = defineEvent({
  ...requested,
  codec: reasoned(Created),
  former: formerlyCreated,
  changes: ['audit-log'],
  auditedIn: ({ data }) => data.guildId ?? undefined,
  takesReason: true,
});

/**
 * The owner hands the guild on. First the next owner's own stream takes it, so that they cannot leave; then it is theirs. Number
 * of this event in the guild's stream: which of several wishes a member has taken.
 */
const TransferRequested = defineEvent({
  ...requested,
  codec: reasoned(
    t.type({
      guildId: t.string,
      /** The owner who wants it. */
      from: t.string,
      /** The next owner. */
      userId: t.string,
    }),
  ),
  former: [],
  changes: ['audit-log'],
  // The log names what comes of it.
  auditedIn: unaudited,
  takesReason: true,
});

/** Several channels get another place; a process tells each. */
const ChannelsMoved = defineEvent({
  ...requested,
  codec: t.type({
    guildId: t.string,
    channels: t.array(
      t.type({
        channelId: t.string,
        /** Null: where it stands. */
        position: t.union([t.number, t.null]),
        parentId: t.union([t.string, t.null]),
        /** All that it has afterwards, where it takes those of its category; null: those that it has. */
        overwrites: t.union([t.array(Overwrite), t.null]),
      }),
    ),
  }),
  former: [],
  // The log names what becomes of each channel.
  auditedIn: unaudited,
  takesReason: false,
});

const described = { name: t.string, description: t.union([t.string, t.null]) };

const settings = {
  /** How well its new people must be known to write: 0 to 4, by Discord's numbers. */
  verificationLevel: t.number,
  /** Of which messages its people are notified unless they choose: 0 all, 1 those that mention them. */
  defaultNotifications: t.number,
  /** Where its system messages are posted. */
  systemChannelId: t.union([t.string, t.null]),
  /** Discord's bits of the system messages that are left out. */
  systemChannelFlags: t.number,
  /** Anybody finds it, and joins without an invite. */
  isPublic: t.boolean,
};
const SettingsV2 = t.type(settings);

const GuildSettings = t.type({
  ...settings,
  /** Whoever sees it, and manages messages, is told of reports. Null: the server's administrators are. */
  safetyAlertsChannelId: t.union([t.string, t.null]),
});

/** Those of a new guild. */
export const PLAIN_GUILD: t.TypeOf<typeof GuildSettings> = {
  verificationLevel: 0,
  defaultNotifications: 0,
  systemChannelId: null,
  systemChannelFlags: 0,
  isPublic: false,
  safetyAlertsChannelId: null,
};

/** What those who manage a guild change about it. */
export const GuildDetails = t.type({ ...described, ...GuildSettings.props });
export type GuildDetails = t.TypeOf<typeof GuildDetails>;

const EditedV1 = t.type({ guildId: t.string, details: t.type(described) });
const EditedV2 = reasoned(t.type({ guildId: t.string, details: t.type({ ...described, ...SettingsV2.props }) }));

/** Until when something is paused, in milliseconds since 1970; null: it is not. */
export const Pauses = t.type({
  invitesUntil: t.union([t.number, t.null]),
  directUntil: t.union([t.number, t.null]),
});
export type Pauses = t.TypeOf<typeof Pauses>;

export const NOT_PAUSED: Pauses = { invitesUntil: null, directUntil: null };

/** A role. The id of @everyone is the guild's. */
const roleV1 = {
  id: t.string,
  name: t.string,
  /** A bit set as a decimal string. */
  permissions: t.string,
  /** As 0xRRGGBB; 0 for none. */
  color: t.number,
  hoist: t.boolean,
  mentionable: t.boolean,
  /** Place in the hierarchy, from 1; that of @everyone is 0. Of two at one place the one with the lower id is higher. */
  position: t.number,
};
const RoleV1 = t.type(roleV1);

export const Role = t.type({
  ...roleV1,
  /** Of the role that a bot has from when it is added: nobody gives, takes or deletes it. Null: of any other. */
  botId: t.union([t.string, t.null]),
});
export type Role = t.TypeOf<typeof Role>;

const unmanaged = (role: t.TypeOf<typeof RoleV1>): Role => ({ ...role, botId: null });

const ofGuild = {
  ...structure,
  audiences: itsGuild,
  indexedFor: itsGuild,
  changes: LOGGED,
  auditedIn: auditedInGuild,
  takesReason: true,
} as const;

const GuildEdited = defineEvent({
  ...ofGuild,
  codec: reasoned(
    t.type({
      guildId: t.string,
      /** All of them, as they are afterwards. */
      details: GuildDetails,
    }),
  ),
  former: [
    formerly(EditedV1, ({ details, ...rest }) => ({ ...rest, details: { ...PLAIN_GUILD, ...details } })),
    formerly(EditedV2, ({ details, ...rest }) => ({ ...rest, details: { ...PLAIN_GUILD, ...details } })),
  ],
  changesRights: false,
});

/** It has another owner, who may do everything in it. */
const GuildTransferred = defineEvent({
  ...ofGuild,
  codec: reasoned(t.type({ guildId: t.string, ownerId: t.string })),
  changesRights: 'channels',
});

/** New people and new direct channels are kept away for a while, or no more. */
const GuildPaused = defineEvent({
  ...ofGuild,
  codec: reasoned(t.type({ guildId: t.string, pauses: Pauses })),
  changesRights: false,
});

/** Nothing follows it in the guild. A resume compares the guilds then and now instead of finding it. */
const GuildDeleted = defineEvent({
  ...ofGuild,
  codec: reasoned(t.type({ guildId: t.string })),
  changes: ['guild-views'],
  // Nobody can read the log any more.
  auditedIn: unaudited,
  changesRights: true,
});

/** Each of these events holds a role as a whole, as it is afterwards. */
const oneRole = {
  ...ofGuild,
  codec: reasoned(t.type({ guildId: t.string, role: Role })),
  former: [
    formerly(reasoned(t.type({ guildId: t.string, role: RoleV1 })), ({ role, ...rest }) => ({
      ...{ ...rest, role: unmanaged(role) },
    })),
  ],
};

/** Nobody has the role yet. A bot's is given to it by a process, which lets it in. */
const RoleCreated = defineEvent({ ...oneRole, changesRights: false, followedUp: true });

const RoleEdited = defineEvent({ ...oneRole, changesRights: 'channels' });

/** Those whose place has changed. */
const RolesMoved = defineEvent({
  ...ofGuild,
  codec: reasoned(t.type({ guildId: t.string, roles: t.array(Role) })),
  former: [
    formerly(reasoned(t.type({ guildId: t.string, roles: t.array(RoleV1) })), ({ roles, ...rest }) => ({
      ...{ ...rest, roles: roles.map(unmanaged) },
    })),
  ],
  changesRights: false,
});

/** The members who had it keep its id; readers drop it. */
const RoleDeleted = defineEvent({
  ...ofGuild,
  codec: reasoned(t.type({ guildId: t.string, roleId: t.string })),
  changesRights: 'channels',
});

/** By their stored names. */
export const guildEvents = {
  'guild-created': GuildCreated,
  'guild-edited': GuildEdited,
  'transfer-requested': TransferRequested,
  'guild-transferred': GuildTransferred,
  'guild-paused': GuildPaused,
  'guild-deleted': GuildDeleted,
  'channel-requested': ChannelRequested,
  'channels-moved': ChannelsMoved,
  'role-created': RoleCreated,
  'role-edited': RoleEdited,
  'roles-moved': RolesMoved,
  'role-deleted': RoleDeleted,
} as const;
