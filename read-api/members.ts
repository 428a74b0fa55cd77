/** Members of guilds, and those who are banned from them. */
import * as t from 'io-ts';
import { allows, Permission, rolesOf } from '../domain/permissions.ts';
import { membersNamed } from '../presenter/member-search.ts';
import { type GuildReader, type GuildRow, memberPages } from '../projections/views/guild-views/view.ts';
import { Snowflake, SnowflakeBound, text } from '../schemas/codecs.ts';
import { OnGuild, type Route } from '../schemas/http/route.ts';
import { Ban, JoinSource, Member, MemberCounts } from '../schemas/http/shapes.ts';
import { memberStream } from '../schemas/streams.ts';
import { found, limitOf, type ReadDeps, readRoute, refused } from './read-route.ts';

const OnMember = t.type({ guild_id: Snowflake, user_id: Snowflake });
const MOST = 1000;
/** Events of a member's stream that are looked through for how they joined. */
const PAGE = 1000;

/** @returns the guild, or why the asker may not see this of it */
const guildFor = async ({ access }: ReadDeps, userId: string, guildId: string, wanted = 0n) => {
  const asker = await access.guild(userId, guildId);
  if (asker === undefined) return 'unknownGuild';
  return allows(asker.permissions, wanted) ? asker.guild : 'missingPermissions';
};

/** How many members have each role. Deleted roles are dropped. */
const countedRoles = async (guilds: GuildReader, guild: GuildRow): Promise<Record<string, number>> => {
  const counts = Object.fromEntries(guild.roles.map(({ id }) => [id, 0]));
  for await (const rows of memberPages(guilds, guild.id))
    for (const row of rows) for (const { id } of rolesOf(guild, row)) counts[id]! += 1;
  return counts;
};

/** The event by which somebody became a member for the last time. */
const joinOf = async ({ log }: ReadDeps, guildId: string, userId: string) => {
  const stream = memberStream(guildId, userId);
  for (let from: number | undefined; ; ) {
    const page = await log.readStream({
      ...{ stream, direction: 'backwards', limit: PAGE },
      ...(from === undefined ? {} : { from }),
    });
    const joined = page.find((event) => event.type === 'member-joined');
    const last = page.at(-1);
    if (joined !== undefined || last === undefined || last.sequence === 1) return joined;
    from = last.sequence - 1;
  }
};

export const memberRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/guilds/:guild_id/members',
    summary: 'Members of a guild',
    params: OnGuild,
    query: t.partial({ limit: limitOf(MOST), after: SnowflakeBound }),
    answers: 'a list of members, by user id',
    answer: t.readonlyArray(Member),
    handle: async ({ actor, params, query: { limit = 1, after } }) => {
      const guild = await guildFor(deps, actor.userId, params.guild_id);
      if (typeof guild === 'string') return refused(guild);
      const rows = await deps.views.guilds.members(guild.id, { limit, ...(after === undefined ? {} : { after }) });
      return found(await deps.presenter.members(rows));
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/members/search',
    summary: 'Members of a guild whose username, display name or nickname begins as asked, in any case',
    params: OnGuild,
    query: t.intersection([t.type({ query: text(1, 100, 'query') }), t.partial({ limit: limitOf(MOST) })]),
    answers: 'a list of members, by user id',
    answer: t.readonlyArray(Member),
    handle: async ({ actor, params, query: { query, limit = 1 } }) => {
      const guild = await guildFor(deps, actor.userId, params.guild_id);
      if (typeof guild === 'string') return refused(guild);
      const { presenter, views } = deps;
      const rows = await membersNamed({ guilds: views.guilds, presenter }, guild.id, { query, limit });
      return found(await presenter.members(rows));
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/members/:user_id',
    summary: 'A member of a guild',
    params: OnMember,
    answers: 'a member',
    answer: Member,
    handle: async ({ actor, params }) => {
      const guild = await guildFor(deps, actor.userId, params.guild_id);
      if (typeof guild === 'string') return refused(guild);
      const row = await deps.views.guilds.member(guild.id, params.user_id);
      return row === undefined ? refused('unknownMember') : found(await deps.presenter.member(row));
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/members/:user_id/source',
    ours: true,
    summary: 'How somebody became a member, for those who manage the guild',
    params: OnMember,
    answers: 'the member, and the code and maker of the invite; null where there was none',
    answer: JoinSource,
    handle: async ({ actor, params }) => {
      const guild = await guildFor(deps, actor.userId, params.guild_id, Permission.manageGuild);
      if (typeof guild === 'string') return refused(guild);
      const row = await deps.views.guilds.member(guild.id, params.user_id);
      if (row === undefined) return refused('unknownMember');
      const code = (await joinOf(deps, guild.id, row.userId))?.data.invite ?? null;
      const invite = code === null ? undefined : await deps.views.guilds.invite(code);
      const member = await deps.presenter.member(row);
      return found({ member, source_invite_code: code, inviter_id: invite?.inviterId ?? null });
    },
  }),
  readRoute(deps, {
    path: '/users/@me/guilds/:guild_id/member',
    summary: "The asker's own membership",
    params: OnGuild,
    answers: 'a member',
    answer: Member,
    handle: async ({ actor, params }) => {
      const row = await deps.views.guilds.member(params.guild_id, actor.userId);
      return row === undefined ? refused('unknownGuild') : found(await deps.presenter.member(row));
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/roles/member-counts',
    summary: 'How many members have each role of a guild, @everyone aside',
    params: OnGuild,
    answers: 'numbers by role',
    answer: MemberCounts,
    handle: async ({ actor, params }) => {
      const guild = await guildFor(deps, actor.userId, params.guild_id);
      return typeof guild === 'string' ? refused(guild) : found(await countedRoles(deps.views.guilds, guild));
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/bans',
    reads: ['guild-rows'],
    summary: 'Who is banned from a guild',
    params: OnGuild,
    query: t.partial({ limit: limitOf(MOST), before: SnowflakeBound, after: SnowflakeBound }),
    answers: 'a list of bans, by user id',
    answer: t.readonlyArray(Ban),
    handle: async ({ actor, params, query: { limit = MOST, before, after } }) => {
      const guild = await guildFor(deps, actor.userId, params.guild_id, Permission.banMembers);
      if (typeof guild === 'string') return refused(guild);
      const beyond = before === undefined ? (after === undefined ? {} : { after }) : { before };
      const rows = await deps.views.bans.bans(guild.id, { limit, ...beyond });
      return found(await deps.presenter.bans(guild.id, rows));
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/bans/:user_id',
    reads: ['guild-rows'],
    summary: 'A ban',
    params: OnMember,
    answers: 'a ban',
    answer: Ban,
    handle: async ({ actor, params }) => {
      const guild = await guildFor(deps, actor.userId, params.guild_id, Permission.banMembers);
      if (typeof guild === 'string') return refused(guild);
      const row = await deps.views.bans.ban(guild.id, params.user_id);
      return row === undefined ? refused('unknownBan') : found((await deps.presenter.bans(guild.id, [row]))[0]);
    },
  }),
];
