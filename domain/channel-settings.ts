/** What those who manage a guild's channel change about it. */
import { isDeepStrictEqual } from 'node:util';
import type { ChannelDetails } from '../schemas/events/channel.ts';
import { type ChannelActor, type ChannelState, deniedInGuild } from './channel.ts';
import { type Decision, happen, nothing } from './decider.ts';
import { type Patch, patched } from './patch.ts';
import { Permission } from './permissions.ts';

interface Managing extends ChannelActor {
  readonly key: string;
  readonly channelId: string;
}

const refused = (command: Managing, state: ChannelState): Decision | undefined =>
  deniedInGuild(command, state, Permission.manageChannels);

const NOTHING_SET: ChannelDetails = { name: '', topic: null, nsfw: false, position: null };

export const editChannel = (
  command: Managing & { readonly patch: Patch<ChannelDetails> },
  state: ChannelState,
): Decision => {
  const refusal = refused(command, state);
  if (refusal !== undefined) return refusal;
  if (state.keys.has(command.key)) return nothing;
  const { channelId, guild, patch } = command;
  const former = state.settings!.details;
  const details = patched(former, patch, NOTHING_SET);
  if (isDeepStrictEqual(details, former)) return nothing;
  return happen({ type: 'channel-edited', data: { channelId, guildId: guild!.id, details } });
};

/** Afterwards it is as unknown as one that never was. */
export const deleteChannel = (command: Managing, state: ChannelState): Decision => {
  // Of a repeat the caller's rights are gone with the channel.
  if (state.settings?.isDeleted === true && state.keys.has(command.key)) return nothing;
  const refusal = refused(command, state);
  if (refusal !== undefined) return refusal;
  const { channelId, guild } = command;
  return happen({ type: 'channel-deleted', data: { channelId, guildId: guild!.id } });
};
