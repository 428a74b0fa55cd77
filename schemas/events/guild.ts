/** Events of `guild-<id>`: its structure, small enough to fold. */
import * as t from 'io-ts';
import { Created, formerlyCreated, Overwrite, structure } from './channel.ts';
import { defineEvent, itsGuild, NO_INTENTS, nobody, reasoned } from './definition.ts';

const GuildCreated = defineEvent({
  codec: t.type({
    guildId: t.string,
    name: t.string,
    ownerId: t.string,
    /** Permissions of @everyone, a bit set as a decimal string. */
    everyone: t.string,
    /** The text channel that a process creates with the guild. */
    firstChannel: t.type({ id: t.string, name: t.string }),
  }),
  former: [],
  audiences: nobody,
  indexedFor: itsGuild,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: true,
  standsAlone: false,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: true,
  frequent: false,
  takesReason: false,
  seals: null,
});

/** The guild's stream bounds the number of its channels, so it takes the request; a process creates the channel. */
const ChannelRequested = defineEvent({
  codec: reasoned(Created),
  former: formerlyCreated,
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
  takesReason: true,
  seals: null,
});

/** Several channels get another place; a process tells each. */
const ChannelsMoved = defineEvent({
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
  takesReason: false,
  seals: null,
});

/** What those who manage a guild change about it. */
export const GuildDetails = t.type({ name: t.string, description: t.union([t.string, t.null]) });
export type GuildDetails = t.TypeOf<typeof GuildDetails>;

/** A role. The id of @everyone is the guild's. */
export const Role = t.type({
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
});
export type Role = t.TypeOf<typeof Role>;

const ofGuild = { ...structure, audiences: itsGuild, indexedFor: itsGuild, takesReason: true } as const;

const GuildEdited = defineEvent({
  ...ofGuild,
  codec: reasoned(
    t.type({
      guildId: t.string,
      /** All of them, as they are afterwards. */
      details: GuildDetails,
    }),
  ),
  changesRights: false,
});

/** Each of these events holds a role as a whole, as it is afterwards. */
const OneRole = reasoned(t.type({ guildId: t.string, role: Role }));

/** Nobody has the role yet. */
const RoleCreated = defineEvent({ ...ofGuild, codec: OneRole, changesRights: false });

const RoleEdited = defineEvent({ ...ofGuild, codec: OneRole, changesRights: 'channels' });

/** Those whose place has changed. */
const RolesMoved = defineEvent({
  ...ofGuild,
  codec: reasoned(t.type({ guildId: t.string, roles: t.array(Role) })),
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
  'channel-requested': ChannelRequested,
  'channels-moved': ChannelsMoved,
  'role-created': RoleCreated,
  'role-edited': RoleEdited,
  'roles-moved': RolesMoved,
  'role-deleted': RoleDeleted,
} as const;
