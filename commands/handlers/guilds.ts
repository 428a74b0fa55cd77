/** Guilds, their channels, invites, joining and leaving. */
import { isDeepStrictEqual } from 'node:util';
import { either } from 'fp-ts';
import * as channel from '../../domain/channel.ts';
import * as guild from '../../domain/guild.ts';
import * as invite from '../../domain/invite.ts';
import * as member from '../../domain/member.ts';
import { allows, DEFAULT_EVERYONE, Permission } from '../../domain/permissions.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import { fieldError } from '../../schemas/errors.ts';
import type { ParleyEvent } from '../../schemas/events/index.ts';
import { channelStream, guildStream, inviteStream, memberStream } from '../../schemas/streams.ts';
import {
  type Answer,
  type CommandDeps,
  causeOf,
  followed,
  type Handler,
  madeTheSame,
  outcome,
  refused,
  settled,
} from '../handler.ts';
import type { CommandContext } from '../port.ts';

const FIRST_CHANNEL = 'general';
const MAX_CHANNELS = 500;
const DEFAULT_INVITE_SECONDS = 86_400;

export const createGuild: Handler<CommandBody<'guild.create'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const cause = causeOf(context, 'guild.create');
  const guildId = await deps.creation.id(cause.key, guildStream);
  const stream = guildStream(guildId);
  const data = {
    guildId,
    name: command.name,
    ownerId: context.actor.userId,
    everyone: DEFAULT_EVERYONE.toString(),
    firstChannel: { id: deps.ids(deps.now()), name: FIRST_CHANNEL },
  };
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: guild.GuildState) => guild.createGuild({ guild: data }, state),
  });
  if (either.isLeft(result)) return result;
  const asked = (first: ParleyEvent) => first.type === 'guild-created' && first.data.name === data.name;
  if (!(await madeTheSame(deps, context, stream, result.right, asked))) return refused('keyReused');
  const ready = await settled(deps, stream, cause.key, result.right);
  if (either.isLeft(ready)) return ready;
  const row = await deps.views.guilds.guild(guildId);
  if (row === undefined) return refused('unavailable');
  const channels = await deps.views.guilds.channelsOf(guildId);
  return outcome(stream, result.right, {
    ...deps.presenter.guild(row),
    channels: await Promise.all(channels.map((one) => deps.presenter.channel(one, context.actor.userId))),
  });
};

export const createChannel: Handler<CommandBody<'channel.create'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const access = await deps.access.guild(context.actor.userId, command.guild_id);
  if (access === undefined) return refused('unknownGuild');
  if (!allows(access.permissions, Permission.manageChannels)) return refused('missingPermissions');
  if ((await deps.views.guilds.channelsOf(command.guild_id)).length >= MAX_CHANNELS)
    return refused('maximumGuildChannels');
  const overwrites = command.permission_overwrites ?? [];
  if (overwrites.some(({ allow, deny }) => !/^\d{1,20}$/.test(allow) || !/^\d{1,20}$/.test(deny)))
    return either.left(
      fieldError(['permission_overwrites'], 'BASE_TYPE_INVALID', 'allow and deny must be bit sets as decimal strings.'),
    );
  const cause = causeOf(context, 'channel.create');
  const channelId = await deps.creation.id(cause.key, channelStream);
  const stream = channelStream(channelId);
  const data = {
    channelId,
    kind: 'text' as const,
    guildId: command.guild_id,
    name: command.name,
    topic: command.topic ?? null,
    overwrites: [...overwrites],
    participants: [],
  };
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: channel.ChannelState) => channel.createChannel({ channel: data, key: cause.key }, state),
  });
  if (either.isLeft(result)) return result;
  const asked = (first: ParleyEvent) => first.type === 'channel-created' && isDeepStrictEqual(first.data, data);
  if (!(await madeTheSame(deps, context, stream, result.right, asked))) return refused('keyReused');
  const ready = await followed(deps, result.right.position);
  if (either.isLeft(ready)) return ready;
  const row = await deps.views.guilds.channel(channelId);
  if (row === undefined) return refused('unavailable');
  return outcome(stream, result.right, await deps.presenter.channel(row, context.actor.userId));
};

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
