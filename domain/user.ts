/** A person, a bot or an imported author. Stream `user-<id>`. */
import type { Profile } from '../schemas/events/user.ts';
import { type Decision, type Fold, happen, nothing, type StreamState } from './decider.ts';

export interface UserState extends StreamState {
  registered: boolean;
}

export const userFold: Fold<UserState> = {
  version: 1,
  initial: () => ({ sequence: 0, registered: false }),
  evolve: (state, event) => ({
    sequence: event.sequence,
    registered: state.registered || event.type === 'user-registered',
  }),
  toJson: (state) => state,
  fromJson: (json) => json as UserState,
};

export interface Register {
  readonly userId: string;
  readonly kind: 'person' | 'bot' | 'imported';
  readonly ownerId: string | null;
  readonly profile: Profile;
  /** Original time of an imported user's first message. */
  readonly time?: number;
}

export const register = (command: Register, state: UserState): Decision => {
  if (state.registered) return nothing;
  const { userId, kind, ownerId } = command;
  return happen({
    type: 'user-registered',
    data: { userId, kind, ownerId },
    secret: { by: userId, text: JSON.stringify(command.profile) },
    ...(command.time === undefined ? {} : { time: command.time }),
  });
};
