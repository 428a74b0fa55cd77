/** The direct channel of two people. Stream `dm-<low>_<high>`. */
import { type Decision, type Fold, happen, nothing, type StreamState } from './decider.ts';

export interface DirectState extends StreamState {
  channelId: string | undefined;
}

export const directFold: Fold<DirectState> = {
  version: 1,
  initial: () => ({ sequence: 0, channelId: undefined }),
  evolve: (state, event) => ({
    sequence: event.sequence,
    channelId: event.type === 'dm-opened' ? event.data.channelId : state.channelId,
  }),
  toJson: (state) => state,
  fromJson: (json) => json as DirectState,
};

export const openDirect = (
  command: { readonly channelId: string; readonly participants: readonly string[] },
  state: DirectState,
): Decision =>
  state.channelId === undefined
    ? happen({ type: 'dm-opened', data: { channelId: command.channelId, participants: [...command.participants] } })
    : nothing;
