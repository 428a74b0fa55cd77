/** A guild's structure. Stream `guild-<id>`. */
import { isDeepStrictEqual } from 'node:util';
import { either } from 'fp-ts';
import type { EventData } from '../schemas/events/catalogue.ts';
import { type GuildDetails, NOT_PAUSED, type Pauses, PLAIN_GUILD, type Role } from '../schemas/events/guild.ts';
import { type PlacedChannel, wrongParent } from './categories.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState, timed } from './decider.ts';
import { type Patch, patched } from './patch.ts';
import { allows, byPlace, guildPermissions, type MemberRights, Permission } from './permissions.ts';
import { RecentKeys, type RecentKeysJson } from './recent-keys.ts';

export interface GuildState extends StreamState {
  exists: boolean;
  ownerId: string;
  details: GuildDetails;
  pauses: Pauses;
  /** Permissions of @everyone as a decimal string. */
  everyone: string;
  /** All others, the lowest first. */
  roles: readonly Role[];
  /**
   * The first channel and all that this stream has taken a request for, each with its category then. Older ones are in
   * the views alone.
   */
  channels: Map<string, string | null>;
  keys: RecentKeys;
}

interface GuildStateJson extends Omit<GuildState, 'channels' | 'keys'> {
  readonly channels: readonly (readonly [id: string, parentId: string | null])[];
  readonly keys: RecentKeysJson;
}

const STATE_BYTES = 300;
/** An id in a map. */
const CHANNEL_BYTES = 80;
const ROLE_BYTES = 500;

const without = (roles: readonly Role[], ids: readonly string[]) => roles.filter(({ id }) => !ids.includes(id));

const hold = (state: GuildState, changed: readonly Role[]): void => {
  const ids = changed.map(({ id }) => id);
  state.roles = [...without(state.roles, ids), ...changed].sort(byPlace);
};

const NOTHING_SET: GuildDetails = { name: '', description: null, ...PLAIN_GUILD };
/** What a guild begins with. */
export const firstDetails = ({
  name,
  systemChannelId,
}: Pick<EventData<'guild-created'>, 'name' | 'systemChannelId'>): GuildDetails => ({
  ...{ ...NOTHING_SET, name, systemChannelId },
});

const NO_RIGHTS = { ownerId: '', everyone: '0', roles: [] } as const;

export const guildFold: Fold<GuildState> = {
  version: 9,
  initial: () => ({
    ...{ sequence: 0, exists: false, ...NO_RIGHTS, details: NOTHING_SET, pauses: NOT_PAUSED },
    ...{ channels: new Map(), keys: new RecentKeys() },
  }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time);
    if (event.type === 'guild-created') {
      const { ownerId, everyone } = event.data;
      Object.assign(state, { exists: true, ownerId, everyone, details: firstDetails(event.data) });
      state.channels.set(event.data.firstChannel.id, null);
    } else if (event.type === 'guild-edited') {
      state.details = event.data.details;
    } else if (event.type === 'guild-transferred') {
      state.ownerId = event.data.ownerId;
    } else if (event.type === 'guild-paused') {
      state.pauses = event.data.pauses;
    } else if (event.type === 'guild-deleted') {
      state.exists = false;
    } else if (event.type === 'channel-requested') {
      state.channels.set(event.data.channelId, event.data.parentId);
    } else if (event.type === 'role-created') {
      hold(state, [event.data.role]);
    } else if (event.type === 'role-edited') {
      const { guildId, role } = event.data;
      if (role.id === guildId) state.everyone = role.permissions;
      else hold(state, [role]);
    } else if (event.type === 'roles-moved') {
      hold(state, event.data.roles);
    } else if (event.type === 'role-deleted') {
      state.roles = without(state.roles, [event.data.roleId]);
    }
    return state;
  },
  bytes: ({ channels, roles, keys }) =>
    STATE_BYTES + ROLE_BYTES * roles.length + CHANNEL_BYTES * channels.size + keys.bytes,
  toJson: (state): GuildStateJson => ({ ...state, channels: [...state.channels], keys: state.keys.toJson() }),
  fromJson: (json) => {
    const { channels, keys, ...rest } = json as GuildStateJson;
    return { ...rest, channels: new Map(channels), keys: RecentKeys.fromJson(keys) };
  },
};

/** @param command.isFull whether the owner may have no further guild */
export const createGuild = (
  command: {
    readonly guild: EventData<'guild-created'>;
    readonly isFull?: boolean;
    /** Original time of an imported guild. */
    readonly time?: number;
  },
  state: GuildState,
): Decision => {
  // Also one that is deleted was created once.
  if (state.sequence > 0) return nothing;
  return command.isFull === true
    ? refuse('maximumGuilds')
    : happen({ type: 'guild-created', data: command.guild, ...timed(command) });
};

export const MAX_CHANNELS = 500;

export const rightsIn = (guildId: string, { ownerId, everyone, roles }: GuildState) => ({
  ...{ id: guildId, ownerId, everyone, roles },
});

/** @param command.known the guild's channels in the views */
export const requestChannel = (
  command: {
    readonly channel: EventData<'channel-requested'>;
    readonly known: readonly PlacedChannel[];
    readonly key: string;
  },
  state: GuildState,
): Decision => {
  if (!state.exists) return refuse('unknownGuild');
  if (state.keys.has(command.key)) return nothing;
  const parents = new Map(state.channels);
  for (const { id, isDeleted, parentId } of command.known) {
    if (isDeleted === true) parents.delete(id);
    else parents.set(id, parentId);
  }
  if (parents.size >= MAX_CHANNELS) return refuse('maximumGuildChannels');
  const wrong = wrongParent(command.channel, command.known, parents.values());
  return wrong === undefined ? happen({ type: 'channel-requested', data: command.channel }) : either.left(wrong);
};

/** A member who acts on the guild as a whole. */
export interface ByMember {
  readonly guildId: string;
  readonly actor: MemberRights;
  readonly key: string;
}

/** Who is to own a guild: `undefined`, somebody who is no member of it; a bot cannot. */
export type NewOwner = { readonly userId: string; readonly isBot: boolean } | undefined;

export const editGuild = (
  command: ByMember & {
    readonly patch: Patch<GuildDetails>;
    /** The owner hands it on. Absent: the owner stays. */
    readonly transfer?: { readonly to: NewOwner } | undefined;
  },
  state: GuildState,
): Decision => {
  const { guildId, actor, key, patch, transfer } = command;
  if (!state.exists) return refuse('unknownGuild');
  // Of a repeat the caller's rights are gone with the guild.
  if (transfer !== undefined && state.keys.has(key)) return nothing;
  const permissions = guildPermissions(rightsIn(guildId, state), actor);
  if (!allows(permissions, Permission.manageGuild)) return refuse('missingPermissions');
  if (state.keys.has(key)) return nothing;
  const details = patched(state.details, patch, NOTHING_SET);
  // Who may come in without an invite is for administrators to say.
  if (details.isPublic !== state.details.isPublic && !allows(permissions, Permission.administrator))
    return refuse('missingPermissions');
  const differs = !isDeepStrictEqual(details, state.details);
  const edited = differs ? [{ type: 'guild-edited' as const, data: { guildId, details } }] : [];
  if (transfer === undefined) return happen(...edited);
  if (state.ownerId !== actor.userId) return refuse('missingPermissions');
  if (transfer.to === undefined) return refuse('unknownMember');
  if (transfer.to.isBot) return refuse('botsCannot');
  const ownerId = transfer.to.userId;
  if (ownerId === state.ownerId) return happen(...edited);
  return happen(...edited, { type: 'transfer-requested', data: { guildId, from: actor.userId, userId: ownerId } });
};

/** The next owner has taken the guild. It is theirs unless another has become its owner first. */
export const transferGuild = (
  { guildId, from, userId, key }: EventData<'transfer-requested'> & { readonly key: string },
  state: GuildState,
): Decision =>
  state.exists && state.ownerId === from && !state.keys.has(key)
    ? happen({ type: 'guild-transferred', data: { guildId, ownerId: userId } })
    : nothing;

export const pauseGuild = (
  { guildId, actor, key, patch }: ByMember & { readonly patch: Patch<Pauses> },
  state: GuildState,
): Decision => {
  if (!state.exists) return refuse('unknownGuild');
  if (!allows(guildPermissions(rightsIn(guildId, state), actor), Permission.manageGuild))
    return refuse('missingPermissions');
  if (state.keys.has(key)) return nothing;
  const pauses = patched(state.pauses, patch, NOT_PAUSED);
  return isDeepStrictEqual(pauses, state.pauses)
    ? nothing
    : happen({ type: 'guild-paused', data: { guildId, pauses } });
};

/** Afterwards it is as unknown as one that never was. */
export const deleteGuild = (
  { guildId, actor, key }: Omit<ByMember, 'actor'> & { readonly actor: MemberRights | undefined },
  state: GuildState,
): Decision => {
  if (!state.exists && state.keys.has(key)) return nothing;
  if (!state.exists || actor === undefined) return refuse('unknownGuild');
  if (state.ownerId !== actor.userId) return refuse('missingPermissions');
  return happen({ type: 'guild-deleted', data: { guildId } });
};
