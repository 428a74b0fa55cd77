/** Guilds, their channels, invites, joining and leaving. */

import { either } from 'fp-ts';
import * as invite from '../../domain/invite.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { inviteStream } from '../../schemas/streams.ts';
import { causeOf, followed, type Handler, madeTheSame, outcome, refused } from '../command.ts';

const DEFAULT_INVITE_SECONDS = 86_400;

export const createInvite: Handler<CommandBody<'invite.create'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const access = await deps.access.channel(context.actor.userId, command.channel_id);
  if (access === undefined) return refused('unknownChannel');
  if (access.guild === undefined) return refused('dmExecute');
  if (!allows(access.permissions, Permission.createInvite)) return refused('missingPermissions');
  const cause = causeOf(context, 'invite.create');
  const code = await deps.creation.code(cause.key, inviteStream);
  const stream = inviteStream(code);
  const age = command.max_age ?? DEFAULT_INVITE_SECONDS;
  const data = {
    code,
    guildId: access.guild.id,
    channelId: command.channel_id,
    inviterId: context.actor.userId,
    maxUses: command.max_uses ?? 0,
    expiresAt: age === 0 ? null : deps.now() + age * 1000,
  };
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: invite.InviteState) => invite.createInvite({ invite: data }, state),
  });
  if (either.isLeft(result)) return result;
  const asked = (first: ParleyEvent) =>
    first.type === 'invite-created' && first.data.channelId === data.channelId && first.data.maxUses === data.maxUses;
  if (!(await madeTheSame(deps, context, stream, result.right, asked))) return refused('keyReused');
  const ready = await followed(deps, result.right.position);
  if (either.isLeft(ready)) return ready;
  const row = await deps.views.guilds.invite(code);
  return outcome(stream, result.right, row && (await deps.presenter.invite(row)));
};
