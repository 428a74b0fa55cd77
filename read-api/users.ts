/** Users, and what belongs to the asker. */
import * as t from 'io-ts';
import { guildPermissions, isInThread, type MemberRights, rolesOf } from '../domain/permissions.ts';
import { compareIds } from '../domain/snowflake.ts';
import { plainNotifications, presentNotifications } from '../presenter/notifications.ts';
import type { GuildRow, UserRow } from '../projections/views/guild-views/view.ts';
import { Snowflake, SnowflakeBound } from '../schemas/codecs.ts';
import { OnGuildSettings, type Route } from '../schemas/http/route.ts';
import {
  Application,
  Channel,
  FullUser,
  GuildSettings,
  OwnGuild,
  ReadState,
  Relationship,
  Self,
  UserProfile,
} from '../schemas/http/shapes.ts';
import {
  type Answer,
  countsOf,
  found,
  limitOf,
  presentChannels,
  type ReadDeps,
  readRoute,
  refused,
  WithCounts,
} from './read-route.ts';

/** Applications: the bots' own cards. An application and its bot share one id. */
const present = async ({ presenter, views }: ReadDeps, row: UserRow) => {
  const bot = await presenter.user(row.id);
  const guilds = await views.guilds.guildsOf(row.id);
  return {
    id: row.id,
    name: bot.username,
    icon: null,
    description: '',
    summary: '',
    bot_public: true,
    bot_require_code_grant: false,
    flags: 0,
    verify_key: '',
    bot,
    owner: row.ownerId === null ? null : await presenter.user(row.ownerId),
    team: null,
    tags: [],
    redirect_uris: [],
    hook: true,
    // 0: into a guild, as all applications here.
    integration_types_config: { 0: {} },
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    event_webhooks_url: null,
    // 1: off.
    event_webhooks_status: 1,
    approximate_guild_count: guilds.length,
    approximate_user_install_count: 0,
    approximate_user_authorization_count: 0,
  };
};

/** Visible to the bot itself and its creator. For others it does not exist. */
const application = async (deps: ReadDeps, id: string, asker: string): Promise<Answer> => {
  const row = await deps.views.guilds.user(id);
  if (row?.kind !== 'bot' || (row.id !== asker && row.ownerId !== asker)) return refused('unknownApplication');
  return found(await present(deps, row));
};

export const applicationRoutes = (deps: ReadDeps): Route[] => [
  ...['/oauth2/applications/@me', '/applications/@me'].map((path) =>
    readRoute(deps, {
      path,
      summary: 'The application of the bot that asks',
      answers: 'an application with its bot and its owner',
      answer: Application,
      handle: ({ actor }) => application(deps, actor.userId, actor.userId),
    }),
  ),
  readRoute(deps, {
    path: '/applications/:application_id',
    summary: 'An application, for its bot and its owner',
    params: t.type({ application_id: Snowflake }),
    answers: 'an application with its bot and its owner',
    answer: Application,
    handle: ({ actor, params }) => application(deps, params.application_id, actor.userId),
  }),
];

interface OwnChannel {
  readonly id: string;
  /** Ids of the roles that the user has in its guild. */
  readonly roles: readonly string[];
}

/** The channels of a guild that the user sees, and the active threads that they are in. */
const visibleIn = async (
  { views, access }: Pick<ReadDeps, 'views' | 'access'>,
  userId: string,
  guild: GuildRow,
): Promise<readonly OwnChannel[]> => {
  const member = await views.guilds.member(guild.id, userId);
  if (member === undefined) return [];
  const [channels, threads] = await Promise.all([
    access.visibleChannels(guild, member),
    access.visibleThreads(guild, member),
  ]);
  const joined = threads.filter(({ thread }) => thread !== undefined && isInThread(thread, member));
  const roles = rolesOf(guild, member).map(({ id }) => id);
  return [...channels, ...joined].map(({ id }) => ({ id, roles }));
};

/** Every channel the user may see and every active thread they are in, guild by guild, then the direct channels. */
const everyChannelOf = async ({ views, access }: ReadDeps, userId: string): Promise<readonly OwnChannel[]> => {
  const guilds = await views.guilds.guildsOf(userId);
  const visible = await Promise.all(guilds.map((guild) => visibleIn({ views, access }, userId, guild)));
  const direct = await views.guilds.directChannelsOf(userId);
  return [...visible.flat(), ...direct.map(({ id }) => ({ id, roles: [] }))];
};

const ownGuild = (guild: GuildRow, userId: string, member: MemberRights | undefined) => ({
  id: guild.id,
  name: guild.name,
  icon: null,
  banner: null,
  owner: guild.ownerId === userId,
  permissions: guildPermissions(guild, member).toString(),
  features: [],
  approximate_member_count: guild.memberCount,
});

export const userRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/users/@me',
    summary: 'The user whose token this is',
    answers: 'a user',
    answer: Self,
    handle: async ({ actor }) => found(await deps.presenter.self(actor.userId)),
  }),
  readRoute(deps, {
    path: '/users/@me/guilds',
    summary: 'Guilds the asker is in',
    query: t.intersection([
      t.partial({ before: SnowflakeBound, after: SnowflakeBound, limit: limitOf(200) }),
      WithCounts,
    ]),
    answers: 'a list of partial guilds, by id',
    answer: t.readonlyArray(OwnGuild),
    handle: async ({ actor, query }) => {
      const { before, after, limit = 200 } = query;
      const guilds = [...(await deps.views.guilds.guildsOf(actor.userId))]
        .sort((a, b) => compareIds(a.id, b.id))
        .filter((guild) => before === undefined || compareIds(guild.id, before) < 0)
        .filter((guild) => after === undefined || compareIds(guild.id, after) > 0);
      // Going backwards, the page is the one that ends right before the given guild.
      const page = before === undefined ? guilds.slice(0, limit) : guilds.slice(-limit);
      const member = async (guild: GuildRow) => (await deps.access.guild(actor.userId, guild.id))?.member;
      const shown = async (guild: GuildRow) => ({
        ...ownGuild(guild, actor.userId, await member(guild)),
        ...countsOf(query),
      });
      return found(await Promise.all(page.map(shown)));
    },
  }),
  readRoute(deps, {
    path: '/users/@me/relationships',
    summary: "The asker's friends, requests and blocks",
    answers:
      'a list of `{id, type, nickname, user, since}`; `type` is 1 for friends, 2 for blocked people, 3 for those who asked, 4 for those who were asked',
    answer: t.readonlyArray(Relationship),
    handle: async ({ actor }) => {
      const rows = await deps.views.guilds.relationships(actor.userId);
      return found(await deps.presenter.relationships(rows));
    },
  }),
  readRoute(deps, {
    path: '/users/@me/guilds/:guild_id/settings',
    ours: true,
    summary: 'Of what the asker is notified in a guild, or with @me in direct messages',
    params: OnGuildSettings,
    answers: 'settings',
    answer: GuildSettings,
    handle: async ({ actor, params }) => {
      const guildId = params.guild_id === '@me' ? null : params.guild_id;
      if (guildId !== null && (await deps.access.guild(actor.userId, guildId)) === undefined)
        return refused('unknownGuild');
      const rows = await deps.views.guilds.notifications(actor.userId);
      return found(presentNotifications(rows.find((one) => one.guildId === guildId) ?? plainNotifications(guildId)));
    },
  }),
  readRoute(deps, {
    path: '/users/@me/channels',
    reads: ['guild-views', 'unread'],
    summary: "The asker's direct channels",
    answers: 'a list of channels',
    answer: t.readonlyArray(Channel),
    handle: async ({ actor }) => {
      const channels = await deps.views.guilds.directChannelsOf(actor.userId);
      return found(await presentChannels(deps, channels, actor.userId));
    },
  }),
  readRoute(deps, {
    path: '/users/@me/read-states',
    ours: true,
    reads: ['guild-views', 'unread'],
    summary: 'How far the asker has read each channel and each active thread that they are in',
    answers: 'a list of `{channel_id, last_message_id, read_ordinal, unread_count, mention_count}`',
    answer: t.readonlyArray(ReadState),
    handle: async ({ actor }) => {
      const channels = await everyChannelOf(deps, actor.userId);
      const roles = new Map(channels.map((channel) => [channel.id, channel.roles]));
      const states = await deps.views.unread.readStates(actor.userId, [...roles.keys()], (id) => roles.get(id) ?? []);
      return found(
        states.map((state) => ({
          channel_id: state.channelId,
          last_message_id: state.lastMessageId,
          read_ordinal: state.readOrdinal,
          unread_count: state.unread,
          mention_count: state.mentions,
        })),
      );
    },
  }),
  readRoute(deps, {
    path: '/users/:user_id',
    summary: 'A user',
    params: t.type({ user_id: Snowflake }),
    answers: 'a user',
    answer: FullUser,
    handle: async ({ params }) =>
      (await deps.views.guilds.user(params.user_id)) === undefined
        ? refused('unknownUser')
        : found(await deps.presenter.fullUser(params.user_id)),
  }),
  readRoute(deps, {
    path: '/users/:user_id/profile',
    summary: 'What a user says about themselves',
    params: t.type({ user_id: Snowflake }),
    answers: 'a profile, with the guilds that the asker is in too',
    answer: UserProfile,
    handle: async ({ actor, params: { user_id: id } }) => {
      const { guilds } = deps.views;
      if ((await guilds.user(id)) === undefined) return refused('unknownUser');
      const [own, theirs] = await Promise.all([guilds.guildsOf(actor.userId), guilds.guildsOf(id)]);
      const isOwn = new Set(own.map((guild) => guild.id));
      const shared = theirs.map((guild) => guild.id).filter((guildId) => isOwn.has(guildId));
      return found(await deps.presenter.profile(id, shared));
    },
  }),
];
