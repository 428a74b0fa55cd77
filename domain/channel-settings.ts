/** What those who manage a guild's channel change about it. */
import { isDeepStrictEqual } from 'node:util';
import { either } from 'fp-ts';
import { fieldError } from '../schemas/errors.ts';
import { type ChannelDetails, type ChannelKind, type Overwrite, PLAIN } from '../schemas/events/channel.ts';
import { type PlacedChannel, wrongParent } from './categories.ts';
import { type ChannelActor, type ChannelState, deniedInGuild } from './channel.ts';
import { type Decision, happen, nothing } from './decider.ts';
import { type OverwriteTarget, replaceOverwrites } from './overwrites.ts';
import { type Patch, patched } from './patch.ts';
import { Permission } from './permissions.ts';

interface Managing extends ChannelActor {
  readonly key: string;
  readonly channelId: string;
}

const refused = (command: Managing, state: ChannelState): Decision | undefined =>
  deniedInGuild(command, state, Permission.manageChannels);

const NOTHING_SET: ChannelDetails = { name: '', topic: null, ...PLAIN };

/** Whether the caller asks for nothing but other overwrites, which those who manage roles may do. */
const onlyOverwrites = (patch: Patch<ChannelDetails>): boolean =>
  Object.values(patch).every((one) => one === undefined);

export const editChannel = (
  command: Managing & {
    readonly patch: Patch<ChannelDetails>;
    /** A channel stays what it is. */
    readonly kind: ChannelKind | undefined;
    /** The channels of the guild that the caller sees. */
    readonly known: readonly PlacedChannel[];
    /** In place of all that it has, where they are given. */
    readonly overwrites:
      | { readonly asked: readonly Overwrite[]; readonly targets: ReadonlyMap<string, OverwriteTarget> }
      | undefined;
  },
  state: ChannelState,
): Decision => {
  const { channelId, guild, patch, overwrites, known } = command;
  const isOfOverwrites = overwrites !== undefined && onlyOverwrites(patch);
  const refusal = isOfOverwrites ? deniedInGuild(command, state, Permission.manageRoles) : refused(command, state);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  const { kind, details: former } = state.settings!;
  if (command.kind !== undefined && command.kind !== kind)
    return either.left(fieldError(['type'], 'CHANNEL_TYPE_INVALID', 'A channel stays of its type.'));
  const details = patched(former, patch, NOTHING_SET);
  if (details.parentId !== former.parentId) {
    const others = known.filter(({ id, isDeleted }) => id !== channelId && isDeleted !== true);
    const parents = others.map(({ parentId }) => parentId);
    const wrong = wrongParent({ kind, parentId: details.parentId }, others, parents);
    if (wrong !== undefined) return either.left(wrong);
  }
  const replaced =
    overwrites === undefined
      ? nothing
      : replaceOverwrites({ ...command, overwrites: overwrites.asked, targets: overwrites.targets }, state);
  if (either.isLeft(replaced) || isDeepStrictEqual(details, former)) return replaced;
  const edited = { type: 'channel-edited', data: { channelId, guildId: guild!.id, details } } as const;
  return happen(edited, ...replaced.right);
};

/** Afterwards it is as unknown as one that never was. */
export const deleteChannel = (
  command: Managing & {
    /** The channels of the guild. */
    readonly known: readonly PlacedChannel[];
  },
  state: ChannelState,
): Decision => {
  // Of a repeat the caller's rights are gone with the channel.
  if (state.settings?.isDeleted === true && state.keys.has(command.key)) return nothing;
  const refusal = refused(command, state);
  if (refusal !== undefined) return refusal;
  const { channelId, guild, known } = command;
  const children = known.filter(({ parentId }) => parentId === channelId).map(({ id }) => id);
  return happen({ type: 'channel-deleted', data: { channelId, guildId: guild!.id, children } });
};
