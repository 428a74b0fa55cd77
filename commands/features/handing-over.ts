/** A guild is handed on to another owner. */

import { either } from 'fp-ts';
import { nothing } from '../../domain/decider.ts';
import * as guild from '../../domain/guild.ts';
import { endOwnership, type MemberState, takeOwnership } from '../../domain/member.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import { guildStream, memberStream } from '../../schemas/streams.ts';
import type { Asked, CommandDeps, Result } from '../command.ts';
import type { Step } from '../processes.ts';
import { membershipOf } from './membership.ts';

/** Whoever is to have a guild, if they are in it. */
export const newOwner = async (
  guildId: string,
  userId: string,
  { cause }: Pick<Asked<unknown>, 'cause'>,
  deps: CommandDeps,
): Promise<Result<guild.NewOwner>> => {
  const [there, user] = await Promise.all([membershipOf(deps, guildId, userId, cause), deps.views.guilds.user(userId)]);
  if (either.isLeft(there)) return there;
  return either.right(there.right.isMember && user ? { userId, isBot: user.kind === 'bot' } : undefined);
};

/**
 * The next owner's stream decides first, as it decides whether they are a member; then the guild's. Whoever of the two is not
 * its owner then may leave.
 */
export async function* handingOver({ data, sequence: request }: EventOf<'transfer-requested'>): AsyncIterable<Step> {
  const { guildId, from, userId } = data;
  let hasTaken = false;
  let ownerId = from;
  yield {
    stream: memberStream(guildId, userId),
    decide: () => (state: MemberState) => {
      const taken = takeOwnership({ guildId, userId, request }, state);
      hasTaken = taken !== nothing || (state.owns ?? 0) >= request;
      return taken;
    },
  };
  yield {
    stream: guildStream(guildId),
    decide: (key) => (state: guild.GuildState) => {
      const transferred = hasTaken ? guild.transferGuild({ ...data, key }, state) : nothing;
      ownerId = transferred === nothing ? state.ownerId : userId;
      return transferred;
    },
  };
  for (const one of [from, userId])
    if (one !== ownerId)
      yield {
        stream: memberStream(guildId, one),
        decide: () => (state: MemberState) => endOwnership({ guildId, userId: one, request }, state),
      };
}
