/** A channel's overwrites: what it allows and denies to a role or to a person. */
import { isDeepStrictEqual } from 'node:util';
import type { ErrorName } from '../schemas/errors.ts';
import type { DecidedEvent } from '../schemas/events/catalogue.ts';
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

/** Why there is nobody whom the overwrite is about: what has its id may also be of the other type. */
export const unknownTarget = ({ type }: Overwrite, target: OverwriteTarget | undefined): ErrorName | undefined => {
  const isOfType = target !== undefined && (target.kind === 'member') === (type === 1);
  if (isOfType) return undefined;
  return type === 0 ? 'unknownRole' : 'unknownMember';
};

/** Nobody acts on a role or person at or above their own highest. @everyone is below all. */
const mayActOn = ({ guild, member, target }: Pick<Overwriting, 'guild' | 'member' | 'target'>): boolean => {
  if (target === undefined || target.kind === 'everyone') return true;
  if (target.kind === 'role') return outranksRole(guild!, member!, target.role);
  return target.member.userId === member!.userId || outranks(guild!, member!, target.member);
};

const refused = (command: Overwriting, state: ChannelState): Decision | undefined =>
  deniedInGuild(command, state, Permission.manageRoles) ??
  // A thread has those of its parent.
  (state.settings?.thread === undefined ? undefined : refuse('wrongChannelType'));

const changedBits = (former: Overwrite | undefined, next: Pick<Overwrite, 'allow' | 'deny'>): bigint =>
  (BigInt(former?.allow ?? '0') ^ BigInt(next.allow)) | (BigInt(former?.deny ?? '0') ^ BigInt(next.deny));

/** Nobody gives or takes what they do not have in the guild. */
const hasAll = (
  { guild, member }: Overwriting,
  former: Overwrite | undefined,
  next: Pick<Overwrite, 'allow' | 'deny'>,
) => allowsAll(guildPermissions(guild!, member), changedBits(former, next));

export const setOverwrite = (
  command: Overwriting & { readonly overwrite: Overwrite },
  state: ChannelState,
): Decision => {
  const refusal = refused(command, state);
  if (refusal !== undefined) return refusal;
  const { overwrite, target, guild, key, channelId } = command;
  const unknown = unknownTarget(overwrite, target);
  if (unknown !== undefined) return refuse(unknown);
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

interface OverwriteChange {
  readonly id: string;
  /** Those of `allow` and `deny` that change. */
  readonly bits: bigint;
  readonly event: (on: { readonly channelId: string; readonly guildId: string }) => DecidedEvent;
}

/** What makes some overwrites into others. */
export const overwriteChanges = (
  former: readonly Overwrite[],
  next: readonly Overwrite[],
): readonly OverwriteChange[] => [
  ...next.flatMap((overwrite): OverwriteChange[] => {
    const before = former.find(({ id }) => id === overwrite.id);
    if (isDeepStrictEqual(before, overwrite)) return [];
    const event: OverwriteChange['event'] = (on) => ({ type: 'overwrite-set', data: { ...on, overwrite } });
    return [{ id: overwrite.id, bits: changedBits(before, overwrite), event }];
  }),
  ...former
    .filter(({ id }) => !next.some((one) => one.id === id))
    .map((gone): OverwriteChange => {
      const event: OverwriteChange['event'] = (on) => ({
        type: 'overwrite-deleted',
        data: { ...on, overwriteId: gone.id },
      });
      return { id: gone.id, bits: changedBits(gone, { allow: '0', deny: '0' }), event };
    }),
];

/**
 * Puts others in the place of all.
 * @param command.targets whom each of both is about; one that is missing is nobody any more
 */
export const replaceOverwrites = (
  command: ChannelActor & {
    readonly channelId: string;
    readonly overwrites: readonly Overwrite[];
    readonly targets: ReadonlyMap<string, OverwriteTarget>;
  },
  state: ChannelState,
): Decision => {
  const changes = overwriteChanges(state.settings!.overwrites, command.overwrites);
  if (changes.length === 0) return nothing;
  const refusal = deniedInGuild(command, state, Permission.manageRoles);
  if (refusal !== undefined) return refusal;
  const { guild, member, channelId, targets, overwrites } = command;
  for (const { id, bits } of changes) {
    const target = targets.get(id);
    const asked = overwrites.find((one) => one.id === id);
    const unknown = asked && unknownTarget(asked, target);
    if (unknown !== undefined) return refuse(unknown);
    if (!mayActOn({ guild, member, target })) return refuse('missingPermissions');
    if (!allowsAll(guildPermissions(guild!, member), bits)) return refuse('missingPermissions');
  }
  return happen(...changes.map(({ event }) => event({ channelId, guildId: guild!.id })));
};
