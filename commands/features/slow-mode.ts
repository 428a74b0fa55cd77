/** Slow mode: in some channels people wait after a message before they send their next. */

import { either } from 'fp-ts';
import { type ChannelActor, type ChannelState, rightsIn } from '../../domain/channel.ts';
import type { Decision } from '../../domain/decider.ts';
import { Permission } from '../../domain/permissions.ts';
import type { Actor } from '../../schemas/actor.ts';
import { parleyError } from '../../schemas/errors.ts';
import type { CommandDeps } from '../command.ts';

const EXEMPT = Permission.bypassSlowmode | Permission.manageMessages | Permission.manageChannels;

/**
 * Refuses what is decided if its author still has to wait. Only what would be posted counts, and a repeat posts nothing.
 * Bots never wait, nor do those who manage the channel or its messages.
 */
export const inSlowmode = (
  decision: Decision,
  state: ChannelState,
  rights: ChannelActor,
  {
    deps,
    channelId,
    actor,
  }: { readonly deps: Pick<CommandDeps, 'limits'>; readonly channelId: string; readonly actor: Actor },
): Decision | Promise<Decision> => {
  const seconds = state.settings?.details.slowmode ?? 0;
  if (seconds === 0 || either.isLeft(decision) || decision.right.length === 0) return decision;
  if (actor.kind === 'bot' || (rightsIn(state, rights) & EXEMPT) !== 0n) return decision;
  return deps.limits
    .slowmode(channelId, actor.userId, seconds)
    .then((wait) => (wait === undefined ? decision : either.left(parleyError('slowmode', { retryAfter: wait }))));
};
