/** A person, a bot or an imported author. Stream `user-<id>`. */
import { isDeepStrictEqual } from 'node:util';
import type { Sealed } from '../schemas/envelope.ts';
import {
  GOOD_STANDING,
  mayAct,
  NEVER_SIGNED_OUT,
  type Profile,
  type SignedOut,
  type Standing,
} from '../schemas/events/user.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState, timed } from './decider.ts';
import { RecentKeys, type RecentKeysJson } from './recent-keys.ts';

export interface UserState extends StreamState {
  registered: boolean;
  /** The latest, sealed in the event of this id. */
  profile: { readonly sealed: Sealed; readonly sealedIn: string } | undefined;
  standing: Standing;
  signedOut: SignedOut;
  keys: RecentKeys;
}

interface UserStateJson extends Omit<UserState, 'keys'> {
  readonly keys: RecentKeysJson;
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
  toJson: (state): UserStateJson => ({ ...state, keys: state.keys.toJson() }),
  fromJson: (json) => {
    const { keys, ...rest } = json as UserStateJson;
    return { ...rest, keys: RecentKeys.fromJson(keys) };
  },
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

export const signOut = ({ userId, signIn, until, now, key }: SignOut, { signedOut, keys }: UserState): Decision => {
  if (keys.has(key)) return nothing;
  const signIns = signedOut.signIns.filter((ended) => ended.until > now);
  if (signIns.some(({ id }) => id === signIn)) return nothing;
  const everywhere = signIn === undefined || signIns.length >= SIGN_INS;
  return happen({
    type: 'user-signed-out',
    data: everywhere
      ? { userId, generation: signedOut.generation + 1, signIns: [] }
      : { userId, generation: signedOut.generation, signIns: [...signIns, { id: signIn, until }] },
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
