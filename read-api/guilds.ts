/** Guilds and their members. For anyone outside a guild it does not exist. */
import * as t from 'io-ts';
import { allows, Permission } from '../domain/permissions.ts';
import { presentCard } from '../presenter/guilds.ts';
import type { InviteRow } from '../projections/views/guild-views/view.ts';
import { Snowflake, text } from '../schemas/codecs.ts';
import { OnChannel, OnGuild, type Route } from '../schemas/http/route.ts';
import { Channel, Guild, Invite, NoneOfThem, PublicGuild, Role } from '../schemas/http/shapes.ts';
import { nameKey } from '../schemas/text.ts';
import {
  countsOf,
  found,
  limitOf,
  presentChannels,
  type ReadDeps,
  readRoute,
  refused,
  WithCounts,
} from './read-route.ts';

// Invites, as those who hold their code see them.

/** Those that lead somewhere, in the order of their codes. */
const shownInvites = async ({ presenter, now }: ReadDeps, rows: readonly InviteRow[]) =>
  (await Promise.all(rows.filter((row) => open(row, now())).map((row) => presenter.invite(row)))).filter(
    (invite) => invite !== undefined,
  );

/** Whether the invite still admits anyone. */
const open = (invite: InviteRow, now: number): boolean =>
  (invite.expiresAt === null || invite.expiresAt > now) && (invite.maxUses === 0 || invite.uses < invite.maxUses);

export const inviteRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/invites/:code',
    summary: 'What an invite leads to',
    params: t.type({ code: text(2, 32, 'code') }),
    query: WithCounts,
    answers: 'an invite with its guild and channel',
    answer: Invite,
    handle: async ({ params, query }) => {
      const row = await deps.views.guilds.invite(params.code);
      const invite = row === undefined || !open(row, deps.now()) ? undefined : await deps.presenter.invite(row);
      return invite === undefined ? refused('unknownInvite') : found({ ...invite, ...countsOf(query) });
    },
  }),
];

export const inviteListRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/channels/:channel_id/invites',
    summary: 'The invites of a channel, for those who manage it',
    params: OnChannel,
    answers: 'a list of invites',
    answer: t.readonlyArray(Invite),
    handle: async ({ actor, params }) => {
      const access = await deps.access.channel(actor.userId, params.channel_id);
      if (access === undefined) return refused('unknownChannel');
      if (access.guild === undefined) return refused('dmExecute');
      if (!allows(access.permissions, Permission.manageChannels)) return refused('missingPermissions');
      const rows = await deps.views.guilds.invitesOf(access.guild.id);
      return found(
        await shownInvites(
          deps,
          rows.filter(({ channelId }) => channelId === params.channel_id),
        ),
      );
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/invites',
    summary: 'The invites of a guild, for those who manage it',
    params: OnGuild,
    answers: 'a list of invites',
    answer: t.readonlyArray(Invite),
    handle: async ({ actor, params }) => {
      const access = await deps.access.guild(actor.userId, params.guild_id);
      if (access === undefined) return refused('unknownGuild');
      if (!allows(access.permissions, Permission.manageGuild)) return refused('missingPermissions');
      const seen = await deps.access.visibleChannels(access.guild, access.member);
      const rows = await deps.views.guilds.invitesOf(params.guild_id);
      return found(
        await shownInvites(
          deps,
          rows.filter(({ channelId }) => seen.some(({ id }) => id === channelId)),
        ),
      );
    },
  }),
];

/** Guilds looked through at most. */
const PUBLIC_GUILDS = 1000;
const PUBLIC_PAGE = 50;

export const discoveryRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/discovery',
    ours: true,
    summary: 'Guilds that anybody may join, by their names',
    query: t.partial({ q: text(0, 100), limit: limitOf(PUBLIC_PAGE) }),
    answers: 'a list of guilds as those outside see them, the latest to be public first',
    answer: t.readonlyArray(PublicGuild),
    handle: async ({ query: { q = '', limit = PUBLIC_PAGE } }) => {
      const wanted = nameKey(q);
      const all = await deps.views.guilds.publicGuilds(PUBLIC_GUILDS);
      const named = all.filter(({ name }) => nameKey(name).includes(wanted)).slice(0, limit);
      return found(named.map((row) => ({ ...presentCard(row), approximate_member_count: row.memberCount })));
    },
  }),
];

/** Of a guild, what does not exist here yet. */
const NOT_YET = ['emojis', 'stickers', 'webhooks', 'integrations'];

export const emptyListRoutes = (deps: ReadDeps): Route[] =>
  NOT_YET.map((name) =>
    readRoute(deps, {
      path: `/guilds/:guild_id/${name}`,
      summary: `There are no ${name} here yet`,
      params: OnGuild,
      answers: 'an empty list',
      answer: NoneOfThem,
      handle: async ({ actor, params }) =>
        (await deps.access.guild(actor.userId, params.guild_id)) === undefined ? refused('unknownGuild') : found([]),
    }),
  );

export const guildRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/guilds/:guild_id',
    summary: 'A guild',
    params: OnGuild,
    query: WithCounts,
    answers: 'a guild with its roles',
    answer: Guild,
    handle: async ({ actor, params, query }) => {
      const access = await deps.access.guild(actor.userId, params.guild_id);
      if (access === undefined) return refused('unknownGuild');
      return found({ ...deps.presenter.guild(access.guild), ...countsOf(query) });
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/roles',
    summary: "A guild's roles",
    params: OnGuild,
    answers: 'a list of roles',
    answer: t.readonlyArray(Role),
    handle: async ({ actor, params }) => {
      const access = await deps.access.guild(actor.userId, params.guild_id);
      return access === undefined ? refused('unknownGuild') : found(deps.presenter.guild(access.guild).roles);
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/roles/:role_id',
    summary: 'A role of a guild',
    params: t.type({ guild_id: Snowflake, role_id: Snowflake }),
    answers: 'a role',
    answer: Role,
    handle: async ({ actor, params }) => {
      const access = await deps.access.guild(actor.userId, params.guild_id);
      if (access === undefined) return refused('unknownGuild');
      const role = deps.presenter.guild(access.guild).roles.find(({ id }) => id === params.role_id);
      return role === undefined ? refused('unknownRole') : found(role);
    },
  }),
  readRoute(deps, {
    path: '/guilds/:guild_id/channels',
    reads: ['guild-views', 'unread'],
    summary: 'The channels of a guild that the asker may see',
    params: OnGuild,
    answers: 'a list of channels, in list order',
    answer: t.readonlyArray(Channel),
    handle: async ({ actor, params }) => {
      const access = await deps.access.guild(actor.userId, params.guild_id);
      if (access === undefined) return refused('unknownGuild');
      const channels = await deps.access.visibleChannels(access.guild, access.member);
      return found(await presentChannels(deps, channels, actor.userId));
    },
  }),
];
