/** The roles of a guild, and who has which. The guild's stream holds the roles, a member's stream the ids of theirs. */
import type { Role } from '../schemas/events/guild.ts';
import { type Decision, happen, nothing, refuse } from './decider.ts';
import { type ByMember, type GuildState, rightsIn } from './guild.ts';
import type { MemberState } from './member.ts';
import { type Patch, patched } from './patch.ts';
import {
  allows,
  allowsAll,
  byPlace,
  type GuildRights,
  guildPermissions,
  type MemberRights,
  outranksRole,
  Permission,
} from './permissions.ts';

/** With @everyone. */
export const MAX_ROLES = 250;

/** What a client may say of a role. */
export type RoleSettings = Omit<Role, 'id' | 'position' | 'botId'>;

/** The role every member has, in the form of the others. */
export const everyoneOf = ({ id, everyone }: Pick<GuildRights, 'id' | 'everyone'>): Role => ({
  ...{ id, name: '@everyone', permissions: everyone, color: 0, hoist: false, mentionable: false, position: 0 },
  botId: null,
});

const mayManage = (guild: GuildRights, actor: MemberRights): boolean =>
  allows(guildPermissions(guild, actor), Permission.manageRoles);

export const createRole = (
  command: ByMember & { readonly roleId: string; readonly settings: Partial<RoleSettings> },
  state: GuildState,
): Decision => {
  const { guildId, actor, key, roleId, settings } = command;
  if (!state.exists) return refuse('unknownGuild');
  const guild = rightsIn(guildId, state);
  if (!mayManage(guild, actor)) return refuse('missingPermissions');
  if (state.keys.has(key)) return nothing;
  if (state.roles.length + 1 >= MAX_ROLES) return refuse('maximumRoles');
  const role: Role = {
    ...{ name: 'new role', permissions: state.everyone, color: 0, hoist: false, mentionable: false },
    ...settings,
    ...{ id: roleId, position: 1, botId: null },
  };
  if (!allowsAll(guildPermissions(guild, actor), BigInt(role.permissions))) return refuse('missingPermissions');
  return happen({ type: 'role-created', data: { guildId, role } });
};

/** A role of a guild, which may be @everyone. */
export const roleIn = (
  guild: Pick<GuildRights, 'id' | 'everyone'> & { readonly roles: readonly Role[] },
  roleId: string,
): Role | undefined => (roleId === guild.id ? everyoneOf(guild) : guild.roles.find(({ id }) => id === roleId));

const NOTHING_SET: RoleSettings = { name: 'new role', permissions: '0', color: 0, hoist: false, mentionable: false };

/** Of @everyone only the permissions change. */
const patchFor = (guildId: string, roleId: string, patch: Patch<RoleSettings>): Patch<RoleSettings> =>
  roleId === guildId ? { permissions: patch.permissions } : patch;

export const editRole = (
  command: ByMember & { readonly roleId: string; readonly patch: Patch<RoleSettings> },
  state: GuildState,
): Decision => {
  const { guildId, actor, key, roleId, patch } = command;
  if (!state.exists) return refuse('unknownGuild');
  const guild = rightsIn(guildId, state);
  if (!mayManage(guild, actor)) return refuse('missingPermissions');
  const former = roleIn(guild, roleId);
  if (former === undefined) return refuse('unknownRole');
  if (!outranksRole(guild, actor, former)) return refuse('missingPermissions');
  if (state.keys.has(key)) return nothing;
  const role: Role = { ...former, ...patched(former, patchFor(guildId, roleId, patch), NOTHING_SET) };
  const changed = BigInt(former.permissions) ^ BigInt(role.permissions);
  if (!allowsAll(guildPermissions(guild, actor), changed)) return refuse('missingPermissions');
  const isSame = JSON.stringify(role) === JSON.stringify(former);
  return isSame ? nothing : happen({ type: 'role-edited', data: { guildId, role } });
};

/** @param places new positions, by role */
const placed = (roles: readonly Role[], places: ReadonlyMap<string, number>): readonly Role[] =>
  roles.map((role) => ({ ...role, position: places.get(role.id) ?? role.position })).sort(byPlace);

/**
 * Nobody moves a role that is not below their highest, nor to a place that is not: those keep their order above all others.
 * Only the order counts, since clients number all roles anew to move one. @everyone stays the lowest.
 */
export const moveRoles = (
  command: ByMember & { readonly places: readonly { readonly id: string; readonly position: number }[] },
  state: GuildState,
): Decision => {
  const { guildId, actor, key, places } = command;
  if (!state.exists) return refuse('unknownGuild');
  const guild = rightsIn(guildId, state);
  if (!mayManage(guild, actor)) return refuse('missingPermissions');
  for (const { id, position } of places) {
    if (roleIn(guild, id) === undefined) return refuse('unknownRole');
    if (id === guildId && position > 0) return refuse('invalidRole');
  }
  const numbers = new Map(places.map(({ id, position }) => [id, Math.max(1, position)]));
  const before = [...guild.roles].sort(byPlace);
  const after = placed(guild.roles, numbers);
  const kept = before.filter((role) => !outranksRole(guild, actor, role));
  const top = after.slice(after.length - kept.length);
  if (kept.some(({ id }, n) => top[n]!.id !== id)) return refuse('missingPermissions');
  const moved = after.filter(({ id, position }) => guild.roles.find((role) => role.id === id)!.position !== position);
  if (state.keys.has(key) || moved.length === 0) return nothing;
  return happen({ type: 'roles-moved', data: { guildId, roles: [...moved] } });
};

export const deleteRole = (
  command: ByMember & {
    readonly roleId: string;
    /** Whether the bot whose role it is is in the guild. Usually the role is gone with it. */
    readonly botIsIn?: boolean;
  },
  state: GuildState,
): Decision => {
  const { guildId, actor, key, roleId, botIsIn = true } = command;
  if (!state.exists) return refuse('unknownGuild');
  const guild = rightsIn(guildId, state);
  if (!mayManage(guild, actor)) return refuse('missingPermissions');
  if (state.keys.has(key)) return nothing;
  if (roleId === guildId) return refuse('invalidRole');
  const role = roleIn(guild, roleId);
  if (role === undefined) return refuse('unknownRole');
  if (!outranksRole(guild, actor, role)) return refuse('missingPermissions');
  if (role.botId !== null && botIsIn) return refuse('invalidRole');
  return happen({ type: 'role-deleted', data: { guildId, roleId } });
};

/**
 * A bot is let in with a role of its own, which has its name. One that was left over from before makes room.
 * @param command.isMember whether it is in already
 */
export const admitBot = (
  command: ByMember & {
    readonly roleId: string;
    readonly bot: { readonly id: string; readonly name: string };
    /** What it is to be allowed: nobody gives what they do not have. */
    readonly permissions: string;
    readonly isMember: boolean;
  },
  state: GuildState,
): Decision => {
  const { guildId, actor, key, roleId: id, bot, permissions, isMember } = command;
  if (!state.exists) return refuse('unknownGuild');
  const own = guildPermissions(rightsIn(guildId, state), actor);
  if (!allows(own, Permission.manageGuild)) return refuse('missingPermissions');
  if (state.keys.has(key)) return nothing;
  if (!allowsAll(own, BigInt(permissions))) return refuse('missingPermissions');
  const former = state.roles.filter(({ botId }) => botId === bot.id);
  if (isMember && former.length > 0) return nothing;
  if (state.roles.length + 1 - former.length >= MAX_ROLES) return refuse('maximumRoles');
  const role: Role = {
    ...{ id, name: bot.name, permissions, color: 0, hoist: false, mentionable: false, position: 1, botId: bot.id },
  };
  return happen(...former.map((one) => ({ type: 'role-deleted' as const, data: { guildId, roleId: one.id } })), {
    type: 'role-created',
    data: { guildId, role },
  });
};

/** @param command.roleIds those that it had when it went, or was to have. One that it has been given since stays. */
export const endRolesOfBot = (
  {
    guildId,
    botId,
    roleIds,
  }: { readonly guildId: string; readonly botId: string; readonly roleIds: readonly string[] },
  { exists, roles }: GuildState,
): Decision =>
  happen(
    ...(exists ? roles : [])
      .filter((role) => role.botId === botId && roleIds.includes(role.id))
      .map(({ id }) => ({ type: 'role-deleted' as const, data: { guildId, roleId: id } })),
  );

interface OfMember {
  readonly guild: GuildRights;
  readonly actor: MemberRights;
  readonly userId: string;
  readonly role: Role | undefined;
  readonly key: string;
}

/** Whoever may manage roles gives and takes those below their own highest, whatever else the member has. */
const changeRoles = (
  { guild, actor, userId, role, key }: OfMember,
  state: MemberState,
  changed: (roles: readonly string[], roleId: string) => readonly string[],
): Decision => {
  if (!mayManage(guild, actor)) return refuse('missingPermissions');
  if (role === undefined) return refuse('unknownRole');
  if (role.id === guild.id || role.botId !== null) return refuse('invalidRole');
  if (!outranksRole(guild, actor, role)) return refuse('missingPermissions');
  if (!state.joined) return refuse('unknownMember');
  if (state.keys.has(key)) return nothing;
  const roles = changed(state.roles, role.id);
  if (roles.length === state.roles.length) return nothing;
  return happen({ type: 'member-roles-changed', data: { guildId: guild.id, userId, roles: [...roles] } });
};

export const giveRole = (command: OfMember, state: MemberState): Decision =>
  changeRoles(command, state, (roles, id) => (roles.includes(id) ? roles : [...roles, id]));

export const takeRole = (command: OfMember, state: MemberState): Decision =>
  changeRoles(command, state, (roles, id) => roles.filter((one) => one !== id));
