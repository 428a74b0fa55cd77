/** Who administers the installation. Stream `instance-administrators`. */
import { type Decision, type Fold, happen, nothing, refuse, type StreamState } from './decider.ts';
import { RecentKeys, type RecentKeysJson } from './recent-keys.ts';

export interface AdministratorsState extends StreamState {
  /** Whom administrators named and removed. */
  named: Map<string, boolean>;
  keys: RecentKeys;
}

interface AdministratorsJson {
  readonly sequence: number;
  readonly named: [string, boolean][];
  readonly keys: RecentKeysJson;
}

export const administratorsFold: Fold<AdministratorsState> = {
  version: 1,
  initial: () => ({ sequence: 0, named: new Map(), keys: new RecentKeys() }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time);
    if (event.type === 'administrator-changed') state.named.set(event.data.userId, event.data.administers);
    return state;
  },
  toJson: ({ sequence, named, keys }): AdministratorsJson => ({ sequence, named: [...named], keys: keys.toJson() }),
  fromJson: (json) => {
    const { sequence, named, keys } = json as AdministratorsJson;
    return { sequence, named: new Map(named), keys: RecentKeys.fromJson(keys) };
  },
};

export interface ChangeAdministrator {
  readonly actor: string;
  readonly userId: string;
  readonly administers: boolean;
  /** The first person, who administers the installation until they are removed. */
  readonly first: string;
  /** Whether somebody may use their account: one who may not is no administrator to be left with. */
  readonly mayAct: (userId: string) => boolean;
  readonly key: string;
}

/** Those who administer the installation now. */
export const administratorsIn = ({ named }: AdministratorsState, first: string | undefined): readonly string[] => {
  const all = new Set(first === undefined ? [] : [first]);
  for (const [userId, administers] of named) {
    if (administers) all.add(userId);
    else all.delete(userId);
  }
  return [...all];
};

export const changeAdministrator = (
  { actor, userId, administers, first, mayAct, key }: ChangeAdministrator,
  state: AdministratorsState,
): Decision => {
  // Of a repeat the caller may administer nothing any more.
  if (state.keys.has(key)) return nothing;
  const present = administratorsIn(state, first);
  if (!present.includes(actor)) return refuse('onlyAdministrator');
  if (present.includes(userId) === administers) return nothing;
  if (!administers && !present.some((id) => id !== userId && mayAct(id))) return refuse('lastAdministrator');
  return happen({ type: 'administrator-changed', data: { userId, administers } });
};

/** Whoever is to be shut out or deleted first administers nothing any more, if they do. */
export const stepDown = (command: Omit<ChangeAdministrator, 'administers'>, state: AdministratorsState): Decision =>
  administratorsIn(state, command.first).includes(command.userId)
    ? changeAdministrator({ ...command, administers: false }, state)
    : nothing;
