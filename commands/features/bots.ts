/** Adding a bot to a guild, with the role that it has there as long as it stays. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { nothing } from '../../domain/decider.ts';
import type { GuildState } from '../../domain/guild.ts';
import { join, type MemberState } from '../../domain/member.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import * as roles from '../../domain/roles.ts';
import { BitSet, optional, Snowflake } from '../../schemas/codecs.ts';
import { type ErrorName, type ParleyError, parleyError } from '../../schemas/errors.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import { Profile } from '../../schemas/events/user.ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { guildStream, memberStream, userStream } from '../../schemas/streams.ts';
import { openAs } from '../../vault/sealing.ts';
import { type Asked, type CommandDeps, command, type Result, refused, unlessRepeated } from '../command.ts';
import type { Sources, Step } from '../processes.ts';
import type { Since } from '../turn.ts';
import { announcingChannel } from './join-messages.ts';
import { membershipOf } from './membership.ts';

const NO_PERMISSIONS = '0';

/** The bot comes in and has its role at once. If it is banned meanwhile, the role goes again. */
async function* lettingIn(
  { data: { guildId, role } }: EventOf<'role-created'>,
  { guilds }: Sources,
): AsyncIterable<Step> {
  const { id, botId: userId } = role;
  if (userId === null) return;
  const announcedIn = await announcingChannel(guilds, guildId);
  let isIn = true;
  yield {
    stream: memberStream(guildId, userId),
    decide: (key) => (state: MemberState) => {
      const joined = join({ guildId, userId, invite: null, announcedIn, key }, state);
      isIn = state.joined || (either.isRight(joined) && joined.right.length > 0);
      if (either.isLeft(joined) || !isIn || state.keys.has(key)) return nothing;
      const given = { guildId, userId, roles: [...state.roles, id] };
      return either.right([...joined.right, { type: 'member-roles-changed', data: given }]);
    },
  };
  if (!isIn)
    yield {
      stream: guildStream(guildId),
      decide: () => (state: GuildState) => roles.endRolesOfBot({ guildId, botId: userId, roleIds: [id] }, state),
    };
}

/** The roles that a member had just before the event of this sequence in the member's stream. */
const rolesBefore = async (sequence: number, since: Since): Promise<readonly string[]> => {
  let had: readonly string[] = [];
  for await (const page of since(0))
    for (const event of page) {
      if (event.sequence >= sequence) return had;
      if (event.type === 'member-left') had = [];
      else if (event.type === 'member-roles-changed') had = event.data.roles;
    }
  return had;
};

/** Whoever adds it again in the same moment makes a new role, which stays. */
async function* rolesOfBotLeft(
  { sequence, data: { guildId, userId: botId } }: EventOf<'member-left'>,
  { guilds }: Sources,
): AsyncIterable<Step> {
  if ((await guilds.user(botId))?.kind !== 'bot') return;
  let roleIds: readonly string[] = [];
  yield {
    stream: memberStream(guildId, botId),
    decide:
      (_, { since }) =>
      async () => {
        roleIds = await rolesBefore(sequence, since);
        return nothing;
      },
  };
  yield {
    stream: guildStream(guildId),
    decide: () => (state: GuildState) => roles.endRolesOfBot({ guildId, botId, roleIds }, state),
  };
}

/** Whoever may not add bots does not learn which there are. */
const mayAdd = async ({ fields, context }: Asked<t.TypeOf<typeof OnGuild>>, deps: CommandDeps) => {
  const access = await deps.access.guild(context.actor.userId, fields.guild_id);
  if (access === undefined) return refused('unknownGuild');
  return allows(access.permissions, Permission.manageGuild)
    ? either.right(access.member)
    : refused('missingPermissions');
};

type Found = { readonly refusal: ParleyError } | Pick<Parameters<typeof roles.admitBot>[0], 'bot' | 'isMember'>;

export const addBot = command({
  type: 'bot.add',
  summary: 'Let a bot into a guild, with a role of its own that has these permissions.',
  route: { method: 'POST', path: '/guilds/:guild_id/bots', status: 204, answers: 'Nothing.', ours: true },
  params: OnGuild,
  body: t.intersection([t.type({ application_id: Snowflake }), t.partial({ permissions: optional(BitSet) })]),
  structural: true,
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: mayAdd,
  prepare: async ({ fields, cause }, deps): Promise<Result<Found>> => {
    const { guild_id: guildId, application_id: id } = fields;
    const bot = await deps.views.guilds.user(id);
    const refusal = (name: ErrorName) => either.right({ refusal: parleyError(name) });
    if (bot?.kind !== 'bot') return refusal('unknownApplication');
    const member = await membershipOf(deps, guildId, id, cause);
    if (either.isLeft(member)) return either.right({ refusal: member.left });
    const { isMember, isBanned } = member.right;
    if (isBanned) return refusal('userBanned');
    const place = { stream: userStream(id), eventId: bot.sealedIn };
    const name = openAs(Profile, await deps.keys.get(id), place, bot.sealed)?.username;
    if (name === undefined) return refusal('unknownApplication');
    return either.right({ bot: { id, name }, isMember });
  },
  decide: (state: GuildState, { rights: actor, prepared }, { fields, cause }, deps) => {
    if ('refusal' in prepared) return unlessRepeated(prepared.refusal, state, cause, nothing);
    return roles.admitBot(
      {
        ...{ guildId: fields.guild_id, actor, key: cause.key, roleId: deps.ids(deps.now()), ...prepared },
        permissions: fields.permissions ?? NO_PERMISSIONS,
      },
      state,
    );
  },
  follow: { 'role-created': lettingIn, 'member-left': rolesOfBotLeft },
  waitsFor: 'processes',
});
