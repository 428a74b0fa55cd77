/** An invite. Stream `invite-<code>`. Only capped ones record who redeemed them. */
import type { EventData } from '../schemas/events/catalogue.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState } from './decider.ts';

export interface InviteState extends StreamState {
  invite: EventData<'invite-created'> | undefined;
  uses: number;
  /** Users who redeemed it, at most as many as the cap. Redeeming again counts once. */
  redeemed: ReadonlySet<string>;
}

interface InviteStateJson extends Omit<InviteState, 'redeemed'> {
  readonly redeemed: readonly string[];
}

const REDEEMER_BYTES = 100;

export const inviteFold: Fold<InviteState> = {
  version: 2,
  initial: () => ({ sequence: 0, invite: undefined, uses: 0, redeemed: new Set() }),
  evolve: (state, event) => {
    if (event.type === 'invite-created') return { ...state, sequence: event.sequence, invite: event.data };
    if (event.type === 'invite-redeemed') {
      const redeemed = new Set(state.redeemed).add(event.data.userId);
      return { ...state, sequence: event.sequence, uses: state.uses + 1, redeemed };
    }
    return { ...state, sequence: event.sequence };
  },
  bytes: ({ redeemed }) => REDEEMER_BYTES * (redeemed.size + 10),
  toJson: (state): InviteStateJson => ({ ...state, redeemed: [...state.redeemed] }),
  fromJson: (json) => {
    const { redeemed, ...rest } = json as InviteStateJson;
    return { ...rest, invite: rest.invite, redeemed: new Set(redeemed) };
  },
};

export const createInvite = (
  command: { readonly invite: EventData<'invite-created'> },
  state: InviteState,
): Decision => (state.invite === undefined ? happen({ type: 'invite-created', data: command.invite }) : nothing);

/** Whether the invite is still valid at `now` in milliseconds since 1970. */
export const isOpen = (
  invite: { readonly maxUses: number; readonly expiresAt: number | null },
  uses: number,
  now: number,
): boolean => (invite.maxUses === 0 || uses < invite.maxUses) && (invite.expiresAt === null || invite.expiresAt > now);

export const redeem = (command: { readonly userId: string; readonly now: number }, state: InviteState): Decision => {
  const { invite } = state;
  if (invite === undefined) return refuse('unknownInvite');
  if (state.redeemed.has(command.userId)) return nothing;
  if (!isOpen(invite, state.uses, command.now)) return refuse('unknownInvite');
  return happen({
    type: 'invite-redeemed',
    data: { code: invite.code, guildId: invite.guildId, userId: command.userId },
  });
};
