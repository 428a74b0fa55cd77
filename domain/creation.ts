/** What the command with an idempotency key creates is called. Stream `creation-<HMAC of the key>`. */
import { type Decision, type Fold, happen, nothing, type StreamState } from './decider.ts';
import { REMEMBERED_MS } from './recent-keys.ts';

export interface CreationState extends StreamState {
  /** `undefined` until the key is used. */
  name: string | undefined;
  /** When the name was recorded, in milliseconds since 1970. */
  time: number;
}

export const creationFold: Fold<CreationState> = {
  version: 1,
  initial: () => ({ sequence: 0, name: undefined, time: 0 }),
  evolve: (state, event) =>
    event.type === 'creation-named'
      ? { sequence: event.sequence, name: event.data.name, time: event.time }
      : { ...state, sequence: event.sequence },
  toJson: (state) => state,
  fromJson: (json) => json as CreationState,
};

/** Twice as long as a key is remembered: the clocks of nodes differ. */
const NAMED_MS = 2 * REMEMBERED_MS;

/** A name is kept for at least ten minutes; after twenty, the key stands for another command. */
export const nameCreation = (
  command: { readonly name: string; readonly now: number },
  state: CreationState,
): Decision =>
  state.name !== undefined && command.now - state.time <= NAMED_MS
    ? nothing
    : happen({ type: 'creation-named', data: { name: command.name } });
