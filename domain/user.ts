/** A person, a bot or an imported author. Stream `user-<id>`. */
import { isDeepStrictEqual } from 'node:util';
import type { Sealed } from '../schemas/envelope.ts';
import type { DecidedEvent } from '../schemas/events/catalogue.ts';
import {
  GOOD_STANDING,
  mayAct,
  NEVER_SIGNED_OUT,
  type Profile,
  type SignedOut,
  type Standing,
} from '../schemas/events/user.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState, timed } from './decider.ts';
import { RecentKeys, storedWithKeys } from './recent-keys.ts';

export interface UserState extends StreamState {
  registered: boolean;
  /** The latest, sealed in the event of this id. */
  profile: { readonly sealed: Sealed; readonly sealedIn: string } | undefined;
  standing: Standing;
  signedOut: SignedOut;
  keys: RecentKeys;
}

/** Of a state without its keys. */
const STATE_BYTES = 500;

export const userFold: Fold<UserState> = {
  version: 4,
  initial: () => ({
    ...{ sequence: 0, registered: false, profile: undefined, standing: GOOD_STANDING },
    ...{ signedOut: NEVER_SIGNED_OUT, keys: new RecentKeys() },
  }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time);
    if (event.type === 'user-registered') state.registered = true;
    if (event.type === 'user-registered' || event.type === 'user-profile-changed')
      state.profile = { sealed: event.data.sealed, sealedIn: event.id };
    else if (event.type === 'user-signed-out')
      state.signedOut = { generation: event.data.generation, signIns: event.data.signIns };
    else if (event.type === 'user-standing-changed') state.standing = event.data.standing;
    else if (event.type === 'user-deleted') state.standing = { ...GOOD_STANDING, deleted: true };
    return state;
  },
  bytes: ({ keys }) => STATE_BYTES + keys.bytes,
  ...storedWithKeys<UserState>(),
};

/** Beyond so many ended sign-ins at once, all of them end together. */
const SIGN_INS = 100;

export interface SignOut {
  readonly userId: string;
  /** The sign-in that ends; `undefined` ends all. */
  readonly signIn: string | undefined;
  /** When its last token expires, in milliseconds since 1970. */
  readonly until: number;
  readonly now: number;
  readonly key: string;
}

const everywhere = (userId: string, { signedOut }: UserState): DecidedEvent => ({
  type: 'user-signed-out',
  data: { userId, generation: signedOut.generation + 1, signIns: [] },
});

export const signOut = ({ userId, signIn, until, now, key }: SignOut, state: UserState): Decision => {
  if (state.keys.has(key)) return nothing;
  const { generation } = state.signedOut;
  const signIns = state.signedOut.signIns.filter((ended) => ended.until > now);
  if (signIns.some(({ id }) => id === signIn)) return nothing;
  if (signIn === undefined || signIns.length >= SIGN_INS) return happen(everywhere(userId, state));
  return happen({
    type: 'user-signed-out',
    data: { userId, generation, signIns: [...signIns, { id: signIn, until }] },
  });
};

export interface ChangeProfile {
  readonly userId: string;
  /** The profile as it is. */
  readonly present: Profile;
  readonly next: Profile;
  /** Ids of the guilds that the user is in. */
  readonly guilds: readonly string[];
  readonly key: string;
}

export const changeProfile = (
  { userId, present, next, guilds, key }: ChangeProfile,
  { standing, keys }: UserState,
): Decision => {
  if (!mayAct(standing)) return refuse('unauthorized');
  if (keys.has(key) || isDeepStrictEqual(present, next)) return nothing;
  const secret = { by: userId, text: JSON.stringify(next) };
  return happen({ type: 'user-profile-changed', data: { userId, guilds: [...guilds] }, secret });
};

const standing = (userId: string, changed: Standing): DecidedEvent => ({
  type: 'user-standing-changed',
  data: { userId, standing: changed },
});

interface OnAccount {
  readonly userId: string;
  readonly key: string;
}

/** An account that an administrator shuts is signed out everywhere, and nobody signs in until it is opened again. */
export const setDisabled = (
  { userId, disabled, key }: OnAccount & { readonly disabled: boolean },
  state: UserState,
): Decision => {
  // Of a repeat the account may be deleted since.
  if (state.keys.has(key)) return nothing;
  if (!state.registered || state.standing.deleted) return refuse('unknownUser');
  if (state.standing.disabled === disabled) return nothing;
  const changed = standing(userId, { ...state.standing, disabled });
  return disabled ? happen(everywhere(userId, state), changed) : happen(changed);
};

/** @param command.due when the account is to be deleted, in milliseconds since 1970 */
export const requestDeletion = (
  { userId, due, key }: OnAccount & { readonly due: number },
  state: UserState,
): Decision => {
  if (!mayAct(state.standing)) return refuse('unauthorized');
  if (state.keys.has(key)) return nothing;
  return happen(everywhere(userId, state), standing(userId, { ...state.standing, due }));
};

/** Its owner has signed in. */
export const keepAccount = (
  { userId, now }: { readonly userId: string; readonly now: number },
  state: UserState,
): Decision => {
  const { due, disabled, deleted } = state.standing;
  if (deleted || (due !== null && due <= now)) return refuse('unauthorized');
  if (disabled) return refuse('accountDisabled');
  return due === null ? nothing : happen(standing(userId, { ...state.standing, due: null }));
};

/**
 * @param command.guilds ids of the guilds that the user is in
 * @param command.now in milliseconds since 1970; absent: whether or not the deletion is due
 */
export const deleteUser = (
  { userId, guilds, now, key }: OnAccount & { readonly guilds: readonly string[]; readonly now?: number },
  state: UserState,
): Decision => {
  const { due, deleted } = state.standing;
  if (!state.registered) return refuse('unknownUser');
  if (deleted) return now !== undefined || state.keys.has(key) ? nothing : refuse('unknownUser');
  if (now !== undefined && (due === null || due > now)) return nothing;
  return happen({ type: 'user-deleted', data: { userId, guilds: [...guilds] } });
};

export interface Register {
  readonly userId: string;
  readonly kind: 'person' | 'bot' | 'imported';
  readonly ownerId: string | null;
  readonly profile: Profile;
  /** Original time of an imported user's first message. */
  readonly time?: number;
  /** Whether the owner may have no further application. */
  readonly isFull?: boolean;
}

export const register = (command: Register, state: UserState): Decision => {
  if (state.registered) return nothing;
  if (command.isFull === true) return refuse('maximumApplications');
  const { userId, kind, ownerId } = command;
  return happen({
    type: 'user-registered',
    data: { userId, kind, ownerId },
    secret: { by: userId, text: JSON.stringify(command.profile) },
    ...timed(command),
  });
};
