/** A guild's structure. Stream `guild-<id>`. */
import type { EventData } from '../schemas/events/catalogue.ts';
import { type Decision, type Fold, happen, nothing, type StreamState } from './decider.ts';

export interface GuildState extends StreamState {
  exists: boolean;
}

export const guildFold: Fold<GuildState> = {
  version: 1,
  initial: () => ({ sequence: 0, exists: false }),
  evolve: (state, event) => ({ sequence: event.sequence, exists: state.exists || event.type === 'guild-created' }),
  toJson: (state) => state,
  fromJson: (json) => json as GuildState,
};

export const createGuild = (command: { readonly guild: EventData<'guild-created'> }, state: GuildState): Decision =>
  state.exists ? nothing : happen({ type: 'guild-created', data: command.guild });
