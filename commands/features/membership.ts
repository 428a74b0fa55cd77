/** Whether somebody is in a guild, as the log says: the views may not know yet. */

import { either } from 'fp-ts';
import { nothing } from '../../domain/decider.ts';
import type { MemberState } from '../../domain/member.ts';
import { memberStream } from '../../schemas/streams.ts';
import type { CommandDeps, Result } from '../command.ts';
import type { Cause } from '../new-events.ts';

interface Membership {
  readonly isMember: boolean;
  /** The guild keeps them out. */
  readonly isBanned: boolean;
}

/** @param cause of the command that asks. Nothing is stored */
export const membershipOf = async (
  deps: Pick<CommandDeps, 'mailboxes'>,
  guildId: string,
  userId: string,
  cause: Cause,
): Promise<Result<Membership>> => {
  let found: Membership = { isMember: false, isBanned: false };
  const asked = await deps.mailboxes.run({
    ...{ stream: memberStream(guildId, userId), cause, prepare: async () => either.right(undefined) },
    decide: (state: MemberState) => {
      found = { isMember: state.joined, isBanned: state.banned };
      return nothing;
    },
  });
  return either.isLeft(asked) ? asked : either.right(found);
};
