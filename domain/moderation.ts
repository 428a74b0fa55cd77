/** What members do to one another: nicknames, roles, timeouts, kicks and bans. Each is decided by the member's own stream. */
import type { DecidedEvent } from '../schemas/events/catalogue.ts';
import type { Role } from '../schemas/events/guild.ts';
import { type Decision, happen, nothing, refuse } from './decider.ts';
import type { MemberState } from './member.ts';
import {
  ALL_PERMISSIONS,
  allows,
  type GuildRights,
  guildPermissions,
  type MemberRights,
  outranks,
  outranksRole,
  Permission,
} from './permissions.ts';
import { roleIn } from './roles.ts';

/** Longest timeout, in milliseconds. */
export const MAX_TIMEOUT = 28 * 24 * 60 * 60_000;
/** Messages deleted with a ban reach back at most so many seconds. */
export const MAX_DELETE_SECONDS = 604_800;

/** One member, or bot, on another person. */
interface OnPerson {
  readonly guild: GuildRights & { readonly roles: readonly Role[] };
  readonly actor: MemberRights;
  readonly userId: string;
  readonly key: string;
}

const may = ({ guild, actor }: OnPerson, wanted: bigint): boolean => allows(guildPermissions(guild, actor), wanted);

/**
 * Nobody acts on somebody at or above their own place. The owner is above everybody, whatever roles they have, from when they
 * have taken the guild.
 */
const isBelow = ({ guild, actor, userId }: OnPerson, { roles, owns }: MemberState): boolean =>
  owns === null && outranks(guild, actor, { userId, roles });

export const kick = (command: OnPerson, state: MemberState): Decision => {
  const { guild, userId } = command;
  if (!may(command, Permission.kickMembers)) return refuse('missingPermissions');
  if (state.keys.has(command.key)) return nothing;
  if (!state.joined) return refuse('unknownMember');
  if (!isBelow(command, state)) return refuse('missingPermissions');
  return happen({ type: 'member-left', data: { guildId: guild.id, userId, how: 'kicked' } });
};

/** Also of somebody who is no member. */
export const ban = (command: OnPerson & { readonly deleteMessageSeconds: number }, state: MemberState): Decision => {
  const { guild, actor, userId, deleteMessageSeconds } = command;
  if (!may(command, Permission.banMembers)) return refuse('missingPermissions');
  if (state.keys.has(command.key)) return nothing;
  const isAbove = state.joined ? !isBelow(command, state) : userId === guild.ownerId || userId === actor.userId;
  if (isAbove) return refuse('missingPermissions');
  if (state.banned) return nothing;
  const of = { guildId: guild.id, userId };
  const banned: DecidedEvent = { type: 'member-banned', data: { ...of, deleteMessageSeconds } };
  return state.joined ? happen(banned, { type: 'member-left', data: { ...of, how: 'banned' } }) : happen(banned);
};

export const unban = (command: OnPerson, state: MemberState): Decision => {
  if (!may(command, Permission.banMembers)) return refuse('missingPermissions');
  if (state.keys.has(command.key)) return nothing;
  if (!state.banned) return refuse('unknownBan');
  return happen({ type: 'member-unbanned', data: { guildId: command.guild.id, userId: command.userId } });
};

export interface MemberPatch {
  /** All roles that the member is to have. */
  readonly roles?: readonly string[];
  readonly nick?: string | null;
  /** Milliseconds since 1970. */
  readonly timedOutUntil?: number | null;
}

interface EditMember extends OnPerson {
  readonly patch: MemberPatch;
  /** The nickname as it is. */
  readonly formerNick: string | null;
}

const deniedRename = (command: EditMember, state: MemberState): boolean => {
  if (command.userId === command.actor.userId)
    return !may(command, Permission.changeNickname) && !may(command, Permission.manageNicknames);
  return !may(command, Permission.manageNicknames) || !isBelow(command, state);
};

/** Neither the owner nor an administrator can be timed out. */
const deniedTimeout = (command: EditMember, state: MemberState): boolean => {
  const { guild, userId } = command;
  if (!may(command, Permission.moderateMembers) || !isBelow(command, state)) return true;
  return guildPermissions(guild, { userId, roles: state.roles }) === ALL_PERMISSIONS;
};

/**
 * Why the roles cannot become these, or what they are then: those that are deleted since are dropped, and so is @everyone, which
 * discord.js names with the others.
 */
const rolesAfter = (command: EditMember, named: readonly string[], state: MemberState) => {
  const { guild, actor } = command;
  if (!may(command, Permission.manageRoles)) return 'missingPermissions';
  const wanted = named.filter((id) => id !== guild.id);
  const changed = [
    ...wanted.filter((id) => !state.roles.includes(id)),
    ...state.roles.filter((id) => !wanted.includes(id) && roleIn(guild, id) !== undefined),
  ];
  for (const id of changed) {
    const role = roleIn(guild, id);
    if (role === undefined) return 'unknownRole';
    if (!outranksRole(guild, actor, role)) return 'missingPermissions';
    if (role.botId !== null) return 'invalidRole';
  }
  return changed.length === 0 ? state.roles : wanted;
};

/** All that is asked for, or none of it. */
export const editMember = (command: EditMember, state: MemberState): Decision => {
  const { guild, userId, patch, formerNick } = command;
  const { nick, timedOutUntil } = patch;
  const of = { guildId: guild.id, userId };
  const decided: DecidedEvent[] = [];
  // Before the member is looked for: a right too few is told first.
  const roles = patch.roles === undefined ? state.roles : rolesAfter(command, patch.roles, state);
  if (roles === 'missingPermissions') return refuse(roles);
  if (nick !== undefined && deniedRename(command, state)) return refuse('missingPermissions');
  if (timedOutUntil !== undefined && deniedTimeout(command, state)) return refuse('missingPermissions');
  if (!state.joined) return refuse('unknownMember');
  if (state.keys.has(command.key)) return nothing;
  if (typeof roles === 'string') return refuse(roles);
  if (roles !== state.roles) decided.push({ type: 'member-roles-changed', data: { ...of, roles: [...roles] } });
  if (nick !== undefined && nick !== formerNick)
    decided.push({ type: 'member-renamed', data: { ...of }, secret: { by: userId, text: JSON.stringify({ nick }) } });
  if (timedOutUntil !== undefined && timedOutUntil !== state.timedOutUntil)
    decided.push({ type: 'member-timed-out', data: { ...of, until: timedOutUntil } });
  return happen(...decided);
};
