/** Guilds, their channels, invites, joining and leaving. */

import { either } from 'fp-ts';
import * as invite from '../../domain/invite.ts';
import * as member from '../../domain/member.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import { inviteStream, memberStream } from '../../schemas/streams.ts';
import {
  type Answer,
  type CommandDeps,
  causeOf,
  followed,
  type Handler,
  outcome,
  refused,
  settled,
} from '../command.ts';
import type { CommandContext } from '../port.ts';

const joinThroughCap = async (deps: CommandDeps, context: CommandContext, guildId: string, code: string) => {
  const cause = causeOf(context, 'guild.join');
  const stream = inviteStream(code);
  const redeemed = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: invite.InviteState) => invite.redeem({ userId: context.actor.userId, now: deps.now() }, state),
  });
  if (either.isLeft(redeemed)) return redeemed;
  // Has a place already: asks twice at once, or comes back.
  if (redeemed.right.events.length === 0) return joinFreely(deps, context, guildId, code);
  const ready = await settled(deps, stream, cause.key, redeemed.right);
  return either.isLeft(ready) ? ready : either.right({ stream, done: redeemed.right });
};

const joinFreely = async (deps: CommandDeps, context: CommandContext, guildId: string, code: string | null) => {
  const { userId } = context.actor;
  const cause = causeOf(context, 'guild.join');
  const stream = memberStream(guildId, userId);
  const joined = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: member.MemberState) => member.join({ guildId, userId, invite: code, key: cause.key }, state),
  });
  if (either.isLeft(joined)) return joined;
  const ready = await followed(deps, joined.right.position);
  return either.isLeft(ready) ? ready : either.right({ stream, done: joined.right });
};

export const joinGuild: Handler<CommandBody<'guild.join'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  if (context.actor.kind === 'bot') return refused('botsCannot');
  const row = await deps.views.guilds.invite(command.code);
  if (row === undefined) return refused('unknownInvite');
  const { userId } = context.actor;
  const already = await deps.views.guilds.member(row.guildId, userId);
  if (already === undefined && !invite.isOpen(row, row.uses, deps.now())) return refused('unknownInvite');
  const join = already === undefined && row.maxUses > 0 ? joinThroughCap : joinFreely;
  const joined = await join(deps, context, row.guildId, row.code);
  if (either.isLeft(joined)) return joined;
  return outcome(joined.right.stream, joined.right.done, await deps.presenter.invite(row));
};

export const leaveGuild: Handler<CommandBody<'guild.leave'>> = async (deps, context, command, gate) => {
  const { userId } = context.actor;
  const guildId = command.guild_id;
  const stream = memberStream(guildId, userId);
  const cause = causeOf(context, 'guild.leave');
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => {
      const passed = await gate();
      if (either.isLeft(passed)) return passed;
      const row = await deps.views.guilds.guild(guildId);
      return row === undefined ? refused('unknownGuild') : either.right(row.ownerId);
    },
    decide: (state: member.MemberState, ownerId) => member.leave({ guildId, userId, ownerId, key: cause.key }, state),
  });
  if (either.isLeft(result)) return result;
  const ready = await followed(deps, result.right.position);
  return either.isLeft(ready) ? ready : outcome(stream, result.right, null);
};

export const addBot: Handler<CommandBody<'bot.add'>> = async (deps, context, command, gate): Promise<Answer> => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const access = await deps.access.guild(context.actor.userId, command.guild_id);
  if (access === undefined) return refused('unknownGuild');
  if (!allows(access.permissions, Permission.manageGuild)) return refused('missingPermissions');
  const bot = await deps.views.guilds.user(command.application_id);
  if (bot?.kind !== 'bot') return refused('unknownApplication');
  const asBot: CommandContext = { ...context, actor: { userId: bot.id, kind: 'bot', administrator: false } };
  const joined = await joinFreely(deps, asBot, command.guild_id, null);
  return either.isLeft(joined) ? joined : outcome(joined.right.stream, joined.right.done, null);
};
