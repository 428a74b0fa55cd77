/** Guild membership: joining, leaving, adding a bot. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as invite from '../../domain/invite.ts';
import * as member from '../../domain/member.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import { Snowflake, text } from '../../schemas/codecs.ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { inviteStream, memberStream } from '../../schemas/streams.ts';
import {
  type Asked,
  type CommandDeps,
  causeOf,
  command,
  NOTHING,
  outcome,
  type Result,
  refused,
  viewsHold,
  whenFollowedUp,
} from '../command.ts';
import type { Done } from '../mailbox.ts';
import { joiningStep } from '../processes.ts';
import type { Cause } from '../turn.ts';
import { inTooManyGuilds } from './guilds.ts';

type Joined = Result<{ readonly stream: string; readonly done: Done }>;

interface Joining {
  readonly guildId: string;
  readonly userId: string;
  readonly cause: Cause;
}

const joinFreely = async (deps: CommandDeps, joining: Joining, code: string | null): Promise<Joined> => {
  const { guildId, userId, cause } = joining;
  const stream = memberStream(guildId, userId);
  const joined = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: member.MemberState) => member.join({ guildId, userId, invite: code, key: cause.key }, state),
  });
  if (either.isLeft(joined)) return joined;
  await viewsHold(deps, joined.right.position);
  return either.right({ stream, done: joined.right });
};

const joinThroughCap = async (deps: CommandDeps, joining: Joining, code: string): Promise<Joined> => {
  const { userId, cause } = joining;
  const stream = inviteStream(code);
  const redeemed = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: invite.InviteState) => invite.redeem({ userId, now: deps.now() }, state),
  });
  if (either.isLeft(redeemed)) return redeemed;
  // The user has a place already: they asked twice at once, or they come back.
  if (redeemed.right.events.length === 0) return joinFreely(deps, joining, code);
  const position = await whenFollowedUp(deps, stream, cause.key, redeemed.right);
  return either.right({ stream, done: { ...redeemed.right, position } });
};

export const joinGuild = command({
  type: 'guild.join',
  summary: 'Join the guild of an invite.',
  route: { method: 'POST', path: '/invites/:code', status: 200, answers: 'The invite.' },
  params: t.type({ code: text(2, 32, 'code') }),
  structural: true,
  limit: { bucket: 'guildJoin', key: (_, { userId }) => userId },
  follow: {
    'invite-redeemed': ({ data: { guildId, userId, code } }) => [joiningStep(guildId, userId, code)],
  },
  carryOut: async ({ fields, context, cause }, deps) => {
    if (context.actor.kind === 'bot') return refused('botsCannot');
    const row = await deps.views.guilds.invite(fields.code);
    if (row === undefined) return refused('unknownInvite');
    const { userId } = context.actor;
    const already = await deps.views.guilds.member(row.guildId, userId);
    if (already === undefined && !invite.isOpen(row, row.uses, deps.now())) return refused('unknownInvite');
    if (already === undefined && (await inTooManyGuilds(deps, context.actor))) return refused('maximumGuilds');
    const join = already === undefined && row.maxUses > 0 ? joinThroughCap : joinFreely;
    const joined = await join(deps, { guildId: row.guildId, userId, cause }, row.code);
    if (either.isLeft(joined)) return joined;
    return outcome(joined.right.stream, joined.right.done, { kind: 'invite', invite: row });
  },
});

export const leaveGuild = command({
  type: 'guild.leave',
  summary: 'Leave a guild.',
  route: { method: 'DELETE', path: '/users/@me/guilds/:guild_id', status: 204, answers: 'Nothing.' },
  params: OnGuild,
  structural: true,
  stream: ({ guild_id }, { userId }) => memberStream(guild_id, userId),
  rights: async ({ fields }, deps) => {
    const row = await deps.views.guilds.guild(fields.guild_id);
    return row === undefined ? refused('unknownGuild') : either.right(row.ownerId);
  },
  decide: (state: member.MemberState, { rights: ownerId }, { fields, context, cause }) =>
    member.leave({ guildId: fields.guild_id, userId: context.actor.userId, ownerId, key: cause.key }, state),
  waitsFor: 'views',
});

const mayAdd = async ({ fields, context }: Asked<{ guild_id: string }>, deps: CommandDeps): Promise<Result<void>> => {
  const access = await deps.access.guild(context.actor.userId, fields.guild_id);
  if (access === undefined) return refused('unknownGuild');
  return allows(access.permissions, Permission.manageGuild) ? either.right(undefined) : refused('missingPermissions');
};

export const addBot = command({
  type: 'bot.add',
  summary: 'Let a bot into a guild.',
  route: { method: 'POST', path: '/guilds/:guild_id/bots', status: 204, answers: 'Nothing.' },
  params: OnGuild,
  body: t.type({ application_id: Snowflake }),
  structural: true,
  carryOut: async (asked, deps) => {
    const { fields, context } = asked;
    const may = await mayAdd(asked, deps);
    if (either.isLeft(may)) return may;
    const bot = await deps.views.guilds.user(fields.application_id);
    if (bot?.kind !== 'bot') return refused('unknownApplication');
    // The bot is the one who joins, so it is the actor of its joining.
    const cause = causeOf({ ...context, actor: { userId: bot.id, kind: 'bot', administrator: false } }, 'guild.join');
    const joined = await joinFreely(deps, { guildId: fields.guild_id, userId: bot.id, cause }, null);
    return either.isLeft(joined) ? joined : outcome(joined.right.stream, joined.right.done, NOTHING);
  },
});
