/** One user's membership of one guild. Stream `member-<guild>_<user>`. */

import type { Sealed } from '../schemas/envelope.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState, timed } from './decider.ts';
import { RecentKeys, storedWithKeys } from './recent-keys.ts';

export interface MemberState extends StreamState {
  joined: boolean;
  /** Ids, also of roles that are deleted since. */
  roles: readonly string[];
  /** The nickname, sealed in the event of this id; null: none. */
  nick: { readonly sealed: Sealed; readonly sealedIn: string } | null;
  /** Milliseconds since 1970. It outlasts the membership, so that nobody ends it by leaving. */
  timedOutUntil: number | null;
  banned: boolean;
  /**
   * The request in the guild's stream by which the member has taken the guild; null: none. Whoever made the guild has no
   * such request.
   */
  owns: number | null;
  keys: RecentKeys;
}

/** Of a state without its keys. */
const STATE_BYTES = 500;
const ID_BYTES = 40;

export const memberFold: Fold<MemberState> = {
  version: 5,
  initial: () => ({
    ...{ sequence: 0, joined: false, roles: [], nick: null, timedOutUntil: null, banned: false, owns: null },
    keys: new RecentKeys(),
  }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time);
    if (event.type === 'member-joined') {
      state.joined = true;
    } else if (event.type === 'member-left') {
      state.joined = false;
      state.roles = [];
      state.nick = null;
      state.owns = null;
    } else if (event.type === 'member-roles-changed') {
      state.roles = event.data.roles;
    } else if (event.type === 'member-renamed') {
      state.nick = { sealed: event.data.sealed, sealedIn: event.id };
    } else if (event.type === 'member-timed-out') {
      state.timedOutUntil = event.data.until;
    } else if (event.type === 'member-banned') {
      state.banned = true;
    } else if (event.type === 'member-unbanned') {
      state.banned = false;
    } else if (event.type === 'ownership-taken') {
      state.owns = event.data.request;
    } else if (event.type === 'ownership-ended') {
      state.owns = null;
    }
    return state;
  },
  bytes: ({ roles, keys }) => STATE_BYTES + ID_BYTES * roles.length + keys.bytes,
  ...storedWithKeys<MemberState>(),
};

interface Membership {
  readonly guildId: string;
  readonly userId: string;
  readonly key: string;
}

/** A known key means that this join already happened, even if the member has left since. A member needs no invite. */
export const join = (
  command: Membership & {
    readonly invite: string | null;
    readonly inviteExpired?: boolean;
    /** The channel in which a message is to say so; null: in none. */
    readonly announcedIn: string | null;
    /** Original time of an imported membership. */
    readonly time?: number;
  },
  state: MemberState,
): Decision => {
  if (state.joined || state.keys.has(command.key)) return nothing;
  if (state.banned) return refuse('userBanned');
  if (command.inviteExpired === true) return refuse('inviteExpired');
  const { guildId, userId, invite, announcedIn, time } = command;
  const data = { guildId, userId, invite, announcedIn };
  const joined = { type: 'member-joined', data, ...timed({ time }) } as const;
  const until = state.timedOutUntil;
  return until === null
    ? happen(joined)
    : happen(joined, { type: 'member-timed-out', data: { guildId, userId, until } });
};

/**
 * @param command.ownerId of the guild as the views know it; empty: the account is deleted, and whoever had it goes;
 * `undefined`: there is no such guild
 */
export const leave = (command: Membership & { readonly ownerId: string | undefined }, state: MemberState): Decision => {
  const { guildId, userId, ownerId } = command;
  if (state.keys.has(command.key)) return nothing;
  if (!state.joined || ownerId === undefined) return refuse('unknownGuild');
  if (ownerId === userId || (ownerId !== '' && state.owns !== null)) return refuse('ownerCannotLeave');
  return happen({ type: 'member-left', data: { guildId, userId, how: 'left' } });
};

type Owning = Omit<Membership, 'key'> & { readonly request: number };

/** Whoever takes a guild stays in it. Whoever is no member takes nothing. */
export const takeOwnership = ({ guildId, userId, request }: Owning, state: MemberState): Decision =>
  state.joined && request > (state.owns ?? 0)
    ? happen({ type: 'ownership-taken', data: { guildId, userId, request } })
    : nothing;

/** The guild is another's by this request, so what was taken by it or before it counts no more. */
export const endOwnership = ({ guildId, userId, request }: Owning, state: MemberState): Decision =>
  state.owns !== null && state.owns <= request
    ? happen({ type: 'ownership-ended', data: { guildId, userId, request } })
    : nothing;
