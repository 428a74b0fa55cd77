/** Keeping people out of a guild: kicking and banning them, and letting them back in. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { MemberState } from '../../domain/member.ts';
import * as moderation from '../../domain/moderation.ts';
import { allows, type MemberRights, Permission } from '../../domain/permissions.ts';
import type { GuildRow } from '../../projections/views/guild-views/view.ts';
import { integer, integerText, list, optional, Snowflake } from '../../schemas/codecs.ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { BulkBan } from '../../schemas/http/shapes.ts';
import { memberStream } from '../../schemas/streams.ts';
import {
  type Asked,
  type CommandDeps,
  command,
  outcome,
  type Result,
  refused,
  refuseOther,
  viewsHold,
} from '../command.ts';
import type { Done } from '../mailbox.ts';
import { deletionsAfter } from './ban-deletions.ts';

const MOST_AT_ONCE = 200;
const DAY = 86_400;

const OnMember = t.type({ guild_id: Snowflake, user_id: Snowflake });

export interface Moderator {
  readonly guild: GuildRow;
  readonly actor: MemberRights;
}

/** The caller and the guild, for what they do to another member. */
export const moderating = async (
  { fields, context }: Asked<{ readonly guild_id: string }>,
  deps: Pick<CommandDeps, 'access'>,
): Promise<Result<Moderator>> => {
  const access = await deps.access.guild(context.actor.userId, fields.guild_id);
  return access === undefined ? refused('unknownGuild') : either.right({ guild: access.guild, actor: access.member });
};

export const kickMember = command({
  type: 'member.kick',
  summary: 'Remove a member below your own highest role from a guild.',
  route: { method: 'DELETE', path: '/guilds/:guild_id/members/:user_id', status: 204, answers: 'Nothing.' },
  params: OnMember,
  structural: true,
  stream: ({ guild_id, user_id }) => memberStream(guild_id, user_id),
  rights: moderating,
  decide: (state: MemberState, { rights }, { fields, cause }) =>
    moderation.kick({ ...rights, userId: fields.user_id, key: cause.key }, state),
  waitsFor: 'views',
});

const Deleting = t.partial({
  delete_message_seconds: optional(integer(0, moderation.MAX_DELETE_SECONDS)),
  delete_message_days: optional(integer(0, moderation.MAX_DELETE_SECONDS / DAY)),
});

const secondsOf = ({ delete_message_seconds: seconds, delete_message_days: days }: t.TypeOf<typeof Deleting>): number =>
  seconds ?? (days ?? 0) * DAY;

/** The person need not be a member, but must be known here. */
const banning = async (asked: Asked<{ guild_id: string; user_id: string }>, deps: CommandDeps) => {
  const rights = await moderating(asked, deps);
  if (either.isLeft(rights)) return rights;
  // Whoever may not ban does not learn who is known.
  const { guild, actor } = rights.right;
  const access = await deps.access.guild(actor.userId, guild.id);
  if (access === undefined || !allows(access.permissions, Permission.banMembers)) return refused('missingPermissions');
  const user = await deps.views.guilds.user(asked.fields.user_id);
  return user === undefined ? refused('unknownUser') : rights;
};

export const banMember = command({
  type: 'member.ban',
  summary: 'Ban a person from a guild, who need be no member, and delete what they have said there lately.',
  route: { method: 'PUT', path: '/guilds/:guild_id/bans/:user_id', status: 204, answers: 'Nothing.' },
  params: OnMember,
  body: Deleting,
  query: t.partial({
    delete_message_seconds: integerText(0, moderation.MAX_DELETE_SECONDS),
    delete_message_days: integerText(0, moderation.MAX_DELETE_SECONDS / DAY),
  }),
  structural: true,
  stream: ({ guild_id, user_id }) => memberStream(guild_id, user_id),
  rights: banning,
  decide: (state: MemberState, { rights }, { fields, cause }) =>
    moderation.ban(
      { ...rights, userId: fields.user_id, key: cause.key, deleteMessageSeconds: secondsOf(fields) },
      state,
    ),
  follow: { 'member-banned': deletionsAfter },
  waitsFor: 'views',
});

export const unbanMember = command({
  type: 'member.unban',
  summary: 'Let a banned person join again.',
  route: { method: 'DELETE', path: '/guilds/:guild_id/bans/:user_id', status: 204, answers: 'Nothing.' },
  params: OnMember,
  structural: true,
  stream: ({ guild_id, user_id }) => memberStream(guild_id, user_id),
  rights: moderating,
  decide: (state: MemberState, { rights }, { fields, cause }) =>
    moderation.unban({ ...rights, userId: fields.user_id, key: cause.key }, state),
  waitsFor: 'views',
});

type BanOf = Result<{ readonly done: Done; readonly stream: string }>;

export const bulkBan = command({
  type: 'member.bulk-ban',
  summary: `Ban up to ${MOST_AT_ONCE} people from a guild. Those who cannot be banned are named.`,
  route: {
    method: 'POST',
    path: '/guilds/:guild_id/bulk-ban',
    status: 200,
    answers: 'Who is banned by it, and who is not.',
    answer: BulkBan,
  },
  params: OnGuild,
  body: t.intersection([
    t.type({ user_ids: list(Snowflake, MOST_AT_ONCE, (id) => id, 1) }),
    t.partial({ delete_message_seconds: optional(integer(0, moderation.MAX_DELETE_SECONDS)) }),
  ]),
  structural: true,
  carryOut: async (asked, deps) => {
    const { fields, context, cause } = asked;
    const access = await deps.access.guild(context.actor.userId, fields.guild_id);
    if (access === undefined) return refused('unknownGuild');
    if (!allows(access.permissions, Permission.banMembers | Permission.manageGuild))
      return refused('missingPermissions');
    const other = await refuseOther(deps, asked);
    if (either.isLeft(other)) return other;
    const ban = async (userId: string): Promise<BanOf> => {
      const stream = memberStream(fields.guild_id, userId);
      const prepare = () => banning({ ...asked, fields: { guild_id: fields.guild_id, user_id: userId } }, deps);
      const done = await deps.mailboxes.run({
        ...{ stream, cause, prepare, refresh: prepare },
        decide: (state: MemberState, rights: Moderator) =>
          state.banned && !state.keys.has(cause.key)
            ? refused('userBanned')
            : moderation.ban({ ...rights, userId, key: cause.key, deleteMessageSeconds: secondsOf(fields) }, state),
      });
      return either.isLeft(done) ? done : either.right({ done: done.right, stream });
    };
    const all = await Promise.all(fields.user_ids.map(ban));
    const failure = all.find((one) => either.isLeft(one) && one.left.status >= 500);
    if (failure !== undefined && either.isLeft(failure)) return failure;
    const banned = all.flatMap((one) => (either.isRight(one) ? [one.right] : []));
    const last = banned.toSorted((a, b) => a.done.position - b.done.position).at(-1);
    if (last === undefined) return refused('bansFailed');
    await viewsHold(deps, last.done.position);
    for (const { done } of banned) void deps.processes.finish(done.events);
    return outcome(last.stream, last.done, {
      kind: 'bulk-banned',
      banned: fields.user_ids.filter((_, n) => either.isRight(all[n]!)),
      failed: fields.user_ids.filter((_, n) => either.isLeft(all[n]!)),
    });
  },
});
