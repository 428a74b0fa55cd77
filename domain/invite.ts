/** An invite. Stream `invite-<code>`. Only capped ones record who redeemed them. */
import type { EventData } from '../schemas/events/catalogue.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState } from './decider.ts';
import { RecentKeys, type RecentKeysJson, withoutContent } from './recent-keys.ts';

export interface InviteState extends StreamState {
  invite: EventData<'invite-created'> | undefined;
  uses: number;
  isDeleted: boolean;
  /** Users who redeemed it, at most as many as the cap, and the keys of their commands. Redeeming again counts once. */
  redeemed: Map<string, string | null>;
  keys: RecentKeys;
}

interface InviteStateJson extends Omit<InviteState, 'redeemed' | 'keys'> {
  readonly redeemed: readonly (readonly [string, string | null])[];
  readonly keys: RecentKeysJson;
}

const REDEEMER_BYTES = 100;

export const inviteFold: Fold<InviteState> = {
  version: 5,
  initial: () => ({
    ...{ sequence: 0, invite: undefined, uses: 0, isDeleted: false },
    ...{ redeemed: new Map(), keys: new RecentKeys() },
  }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time);
    if (event.type === 'invite-created') {
      state.invite = event.data;
    } else if (event.type === 'invite-redeemed') {
      state.redeemed.set(event.data.userId, event.key === null ? null : withoutContent(event.key));
      state.uses += 1;
    } else if (event.type === 'invite-deleted') {
      state.isDeleted = true;
    }
    return state;
  },
  bytes: ({ redeemed, keys }) => REDEEMER_BYTES * (redeemed.size + 10) + keys.bytes,
  toJson: (state): InviteStateJson => ({ ...state, redeemed: [...state.redeemed], keys: state.keys.toJson() }),
  fromJson: (json) => {
    const { redeemed, keys, ...rest } = json as InviteStateJson;
    return { ...rest, invite: rest.invite, redeemed: new Map(redeemed), keys: RecentKeys.fromJson(keys) };
  },
};

/** @param command.isFull whether the inviter may have no further invite to the guild */
export const createInvite = (
  command: { readonly invite: EventData<'invite-created'>; readonly isFull?: boolean },
  state: InviteState,
): Decision => {
  if (state.invite !== undefined) return nothing;
  return command.isFull === true ? refuse('maximumInvites') : happen({ type: 'invite-created', data: command.invite });
};

/** @param now milliseconds since 1970 */
export const hasExpired = ({ expiresAt }: { readonly expiresAt: number | null }, now: number): boolean =>
  expiresAt !== null && expiresAt <= now;

/** Whether the invite still admits somebody new. */
export const isOpen = (
  invite: { readonly maxUses: number; readonly expiresAt: number | null },
  uses: number,
  now: number,
): boolean => (invite.maxUses === 0 || uses < invite.maxUses) && !hasExpired(invite, now);

/** Takes one of its places. Whoever has one keeps it: nothing is recorded then, and they may come in again. */
export const redeem = (
  command: { readonly userId: string; readonly key: string; readonly now: number },
  state: InviteState,
): Decision => {
  const { invite } = state;
  if (invite === undefined) return refuse('unknownInvite');
  const { userId, key, now } = command;
  if (state.redeemed.get(userId) === key || state.keys.has(key)) return nothing;
  if (state.isDeleted) return refuse('unknownInvite');
  if (hasExpired(invite, now)) return refuse('inviteExpired');
  if (state.redeemed.has(userId)) return nothing;
  if (!isOpen(invite, state.uses, now)) return refuse('inviteUsedUp');
  return happen({
    type: 'invite-redeemed',
    data: { code: invite.code, guildId: invite.guildId, userId: command.userId },
  });
};

/** @param command.may whether the caller manages the guild or the invite's channel, or made it */
export const deleteInvite = (
  { may, key }: { readonly may: boolean; readonly key: string },
  state: InviteState,
): Decision => {
  const { invite, isDeleted } = state;
  if (state.keys.has(key)) return nothing;
  if (invite === undefined || isDeleted) return refuse('unknownInvite');
  if (!may) return refuse('missingPermissions');
  const { code, guildId, channelId } = invite;
  return happen({ type: 'invite-deleted', data: { code, guildId, channelId } });
};
