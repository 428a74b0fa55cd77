/** The roles of a guild, and giving them to its members. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { GuildState } from '../../domain/guild.ts';
import type { MemberState } from '../../domain/member.ts';
import * as roles from '../../domain/roles.ts';
import { BitSet, integer, list, optional, Snowflake, visibleText } from '../../schemas/codecs.ts';
import { OnGuild } from '../../schemas/http/route.ts';
import * as shapes from '../../schemas/http/shapes.ts';
import { guildStream, memberStream } from '../../schemas/streams.ts';
import { type CommandDeps, command, refused } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import { moderating } from './bans.ts';
import { memberOfGuild } from './guilds.ts';
import { membershipOf } from './membership.ts';

const Color = integer(0, 0xffffff);
const MAX_POSITION = 1_000_000;

const Settings = t.partial({
  name: optional(visibleText(1, 100, 'name')),
  permissions: optional(BitSet),
  color: optional(Color),
  colors: optional(t.type({ primary_color: Color })),
  hoist: optional(t.boolean),
  mentionable: optional(t.boolean),
});

const notThere = { icon: [], unicode_emoji: [] };

const OnRole = t.type({ guild_id: Snowflake, role_id: Snowflake });

/** A colour stands in `colors` as well as, formerly, in `color`. */
const patchOf = ({ name, permissions, color, colors, hoist, mentionable }: t.TypeOf<typeof Settings>) => ({
  ...{ name, permissions, hoist, mentionable },
  color: colors === undefined || colors === null ? color : colors.primary_color,
});

const given = (fields: t.TypeOf<typeof Settings>): Partial<roles.RoleSettings> =>
  Object.fromEntries(Object.entries(patchOf(fields)).filter(([, value]) => value !== undefined && value !== null));

const guildOf = async ({ guild_id }: { readonly guild_id: string }, { views }: CommandDeps) => {
  const guild = await views.guilds.guild(guild_id);
  return guild === undefined ? refused('unknownGuild') : either.right(guild);
};

export const createRole = command({
  type: 'role.create',
  summary: `Create a role, below all others: ${roles.MAX_ROLES} in a guild at most, with @everyone.`,
  route: { method: 'POST', path: '/guilds/:guild_id/roles', status: 200, answers: 'The role.', answer: shapes.Role },
  params: OnGuild,
  body: Settings,
  structural: true,
  check: refuseNotThere(notThere),
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: memberOfGuild,
  decide: (state: GuildState, { rights: actor }, { fields, cause }, deps) =>
    roles.createRole(
      {
        ...{ guildId: fields.guild_id, actor, key: cause.key },
        ...{ roleId: deps.ids(deps.now()), settings: given(fields) },
      },
      state,
    ),
  waitsFor: 'views',
  answer: async ({ event }) =>
    event?.type === 'role-created' ? either.right({ kind: 'role', role: event.data.role }) : refused('keyReused'),
});

export const editRole = command({
  type: 'role.edit',
  summary: 'Change a role below your own highest. Of @everyone only the permissions change.',
  route: {
    method: 'PATCH',
    path: '/guilds/:guild_id/roles/:role_id',
    status: 200,
    answers: 'The role.',
    answer: shapes.Role,
  },
  params: OnRole,
  body: Settings,
  structural: true,
  check: refuseNotThere(notThere),
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: memberOfGuild,
  decide: (state: GuildState, { rights: actor }, { fields, cause }) =>
    roles.editRole(
      { ...{ guildId: fields.guild_id, actor, key: cause.key }, roleId: fields.role_id, patch: patchOf(fields) },
      state,
    ),
  waitsFor: 'views',
  answer: async ({ event }, { fields }, deps) => {
    if (event?.type === 'role-edited') return either.right({ kind: 'role', role: event.data.role });
    const guild = await guildOf(fields, deps);
    if (either.isLeft(guild)) return guild;
    const role = roles.roleIn(guild.right, fields.role_id);
    return role === undefined ? refused('unknownRole') : either.right({ kind: 'role', role });
  },
});

export const moveRoles = command({
  type: 'role.move',
  summary: 'Put roles below your own highest at other places. Of two at one place the older is higher.',
  route: {
    method: 'PATCH',
    path: '/guilds/:guild_id/roles',
    bodyIs: 'roles',
    status: 200,
    answers: 'All roles of the guild.',
    answer: t.readonlyArray(shapes.Role),
  },
  params: OnGuild,
  body: t.type({
    roles: list(
      t.intersection([t.type({ id: Snowflake }), t.partial({ position: optional(integer(0, MAX_POSITION)) })]),
      roles.MAX_ROLES,
      ({ id }) => id,
    ),
  }),
  structural: true,
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: memberOfGuild,
  decide: (state: GuildState, { rights: actor }, { fields, cause }) => {
    const places = fields.roles.flatMap(({ id, position }) => (typeof position === 'number' ? [{ id, position }] : []));
    return roles.moveRoles({ ...{ guildId: fields.guild_id, actor, key: cause.key }, places }, state);
  },
  waitsFor: 'views',
  answer: async (_, { fields }, deps) => {
    const guild = await guildOf(fields, deps);
    return either.isLeft(guild) ? guild : either.right({ kind: 'roles', guild: guild.right });
  },
});

export const deleteRole = command({
  type: 'role.delete',
  summary: 'Delete a role below your own highest. Whoever had it has it no more.',
  route: { method: 'DELETE', path: '/guilds/:guild_id/roles/:role_id', status: 204, answers: 'Nothing.' },
  params: OnRole,
  structural: true,
  holdsUp: true,
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: memberOfGuild,
  prepare: async ({ fields: { guild_id, role_id }, cause }, deps) => {
    const row = await deps.views.guilds.guild(guild_id);
    const botId = row?.roles.find(({ id }) => id === role_id)?.botId ?? null;
    if (botId === null) return either.right({ botIsIn: true });
    const bot = await membershipOf(deps, guild_id, botId, cause);
    return either.isLeft(bot) ? bot : either.right({ botIsIn: bot.right.isMember });
  },
  decide: (state: GuildState, { rights: actor, prepared }, { fields, cause }) =>
    roles.deleteRole(
      { ...{ guildId: fields.guild_id, actor, key: cause.key }, roleId: fields.role_id, ...prepared },
      state,
    ),
  waitsFor: 'views',
});

const giving = <const K extends 'member.role.add' | 'member.role.remove'>(
  type: K,
  method: 'PUT' | 'DELETE',
  summary: string,
  decide: typeof roles.giveRole,
) =>
  command({
    type,
    summary,
    route: {
      ...{ method, path: '/guilds/:guild_id/members/:user_id/roles/:role_id' },
      ...{ status: 204, answers: 'Nothing.' },
    },
    params: t.type({ guild_id: Snowflake, user_id: Snowflake, role_id: Snowflake }),
    structural: true,
    holdsUp: true,
    stream: ({ guild_id, user_id }) => memberStream(guild_id, user_id),
    rights: moderating,
    decide: (state: MemberState, { rights }, { fields, cause }) => {
      const role = roles.roleIn(rights.guild, fields.role_id);
      return decide({ ...rights, userId: fields.user_id, role, key: cause.key }, state);
    },
    waitsFor: 'views',
  });

export const giveRole = giving(
  'member.role.add',
  'PUT',
  'Give a member a role below your own highest.',
  roles.giveRole,
);
export const takeRole = giving(
  'member.role.remove',
  'DELETE',
  'Take a role below your own highest from a member.',
  roles.takeRole,
);
