/** A channel's overwrites: what it allows and denies to a role or to a person. */
import type { Overwrite } from '../schemas/events/channel.ts';
import { type ChannelActor, type ChannelState, deniedInGuild } from './channel.ts';
import { type Decision, happen, nothing, refuse } from './decider.ts';
import {
  allowsAll,
  guildPermissions,
  type MemberRights,
  outranks,
  outranksRole,
  Permission,
  type RoleRights,
} from './permissions.ts';

export const MAX_OVERWRITES = 100;

/** Whom an overwrite is about. */
export type OverwriteTarget =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'role'; readonly role: RoleRights }
  | { readonly kind: 'member'; readonly member: MemberRights };

interface Overwriting extends ChannelActor {
  readonly key: string;
  readonly channelId: string;
  /** `undefined`: there is no such role or member, or no more. */
  readonly target: OverwriteTarget | undefined;
}

/** Nobody acts on a role or person at or above their own highest. @everyone is below all. */
const mayActOn = ({ guild, member, target }: Overwriting): boolean => {
  if (target === undefined || target.kind === 'everyone') return true;
  if (target.kind === 'role') return outranksRole(guild!, member!, target.role);
  return target.member.userId === member!.userId || outranks(guild!, member!, target.member);
};

const refused = (command: Overwriting, state: ChannelState): Decision | undefined =>
  deniedInGuild(command, state, Permission.manageRoles);

/** Nobody gives or takes what they do not have in the guild. */
const hasAll = (
  { guild, member }: Overwriting,
  former: Overwrite | undefined,
  next: Pick<Overwrite, 'allow' | 'deny'>,
) => {
  const changed =
    (BigInt(former?.allow ?? '0') ^ BigInt(next.allow)) | (BigInt(former?.deny ?? '0') ^ BigInt(next.deny));
  return allowsAll(guildPermissions(guild!, member), changed);
};

export const setOverwrite = (
  command: Overwriting & { readonly overwrite: Overwrite },
  state: ChannelState,
): Decision => {
  const refusal = refused(command, state);
  if (refusal !== undefined) return refusal;
  const { overwrite, target, guild, key, channelId } = command;
  if (target === undefined) return refuse(overwrite.type === 0 ? 'unknownRole' : 'unknownMember');
  const { overwrites } = state.settings!;
  const former = overwrites.find(({ id }) => id === overwrite.id);
  if (!mayActOn(command) || !hasAll(command, former, overwrite)) return refuse('missingPermissions');
  if (state.keys.has(key) || JSON.stringify(former) === JSON.stringify(overwrite)) return nothing;
  if (former === undefined && overwrites.length >= MAX_OVERWRITES) return refuse('maximumOverwrites');
  return happen({ type: 'overwrite-set', data: { channelId, guildId: guild!.id, overwrite } });
};

export const deleteOverwrite = (
  command: Overwriting & { readonly overwriteId: string },
  state: ChannelState,
): Decision => {
  const refusal = refused(command, state);
  if (refusal !== undefined) return refusal;
  const { overwriteId, guild, key, channelId } = command;
  if (state.keys.has(key)) return nothing;
  const former = state.settings!.overwrites.find(({ id }) => id === overwriteId);
  if (former === undefined) return refuse('unknownOverwrite');
  if (!mayActOn(command) || !hasAll(command, former, { allow: '0', deny: '0' })) return refuse('missingPermissions');
  return happen({ type: 'overwrite-deleted', data: { channelId, guildId: guild!.id, overwriteId } });
};
