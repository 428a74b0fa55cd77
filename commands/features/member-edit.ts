/** What is changed about a member: nickname, roles, timeout. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { Decision } from '../../domain/decider.ts';
import type { MemberState } from '../../domain/member.ts';
import { editMember as edit, MAX_TIMEOUT, type MemberPatch } from '../../domain/moderation.ts';
import { MAX_ROLES } from '../../domain/roles.ts';
import { changedMember } from '../../projections/views/guild-views/revised.ts';
import { IsoTimeText, list, optional, Snowflake, timeFromIso, visibleText } from '../../schemas/codecs.ts';
import { fieldError } from '../../schemas/errors.ts';
import { Nickname } from '../../schemas/events/member.ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { Member } from '../../schemas/http/shapes.ts';
import { memberStream } from '../../schemas/streams.ts';
import { openAs } from '../../vault/sealing.ts';
import { type Asked, type CommandDeps, command, type Result, refused, type Stored } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import type { Answer } from '../port.ts';
import { type Moderator, moderating } from './bans.ts';

/** Blank takes it away. */
const Nick = t.union([visibleText(1, 32, 'nick'), t.literal('')]);

const nickIn = async ({ keys }: CommandDeps, stream: string, { nick }: MemberState): Promise<string | null> => {
  if (nick === null) return null;
  const place = { stream, eventId: nick.sealedIn };
  return openAs(Nickname, await keys.get(nick.sealed.by), place, nick.sealed)?.nick ?? null;
};

/** A little longer than Discord's bound, for clocks that differ. */
const MOST_AHEAD_MS = MAX_TIMEOUT + 60_000;

const TOO_LONG = fieldError(
  ['communication_disabled_until'],
  'COMMUNICATION_DISABLED_TOO_LONG',
  'Must be at most 28 days from now.',
);

interface Edited {
  readonly guild_id: string;
  readonly user_id: string;
}

const deciding = async (
  state: MemberState,
  { guild, actor }: Moderator,
  patch: MemberPatch,
  { fields, cause }: Asked<Edited>,
  deps: CommandDeps,
): Promise<Decision> => {
  const formerNick = await nickIn(deps, memberStream(fields.guild_id, fields.user_id), state);
  return edit({ guild, actor, userId: fields.user_id, key: cause.key, patch, formerNick }, state);
};

/** As the events leave the member, whether or not the views hold them yet. */
const answering = async (
  { done }: Pick<Stored<unknown, unknown>, 'done'>,
  { guild_id, user_id }: Edited,
  { views }: CommandDeps,
): Promise<Result<Answer>> => {
  const row = await views.guilds.member(guild_id, user_id);
  if (row === undefined) return refused('unknownMember');
  return either.right({ kind: 'member', member: changedMember(row, done.events) });
};

const nickOf = ({ nick }: { readonly nick?: string | null | undefined }): Pick<MemberPatch, 'nick'> =>
  nick === undefined ? {} : { nick: nick === '' ? null : nick };

export const editMember = command({
  type: 'member.edit',
  summary: "Change a member's nickname, roles or timeout. A timeout lasts up to 28 days.",
  route: {
    method: 'PATCH',
    path: '/guilds/:guild_id/members/:user_id',
    status: 200,
    answers: 'The member.',
    answer: Member,
  },
  params: t.type({ guild_id: Snowflake, user_id: Snowflake }),
  body: t.partial({
    nick: optional(Nick),
    roles: optional(list(Snowflake, MAX_ROLES, (id) => id)),
    communication_disabled_until: optional(IsoTimeText),
  }),
  structural: true,
  holdsUp: true,
  check: refuseNotThere({ mute: [false], deaf: [false], channel_id: [], flags: [0] }),
  stream: ({ guild_id, user_id }) => memberStream(guild_id, user_id),
  rights: moderating,
  decide: async (state: MemberState, { rights }, asked, deps) => {
    const { roles, communication_disabled_until: until } = asked.fields;
    const now = deps.now();
    const asks = (until == null ? undefined : timeFromIso(until)) ?? 0;
    if (asks > now + MOST_AHEAD_MS) return either.left(TOO_LONG);
    const timedOutUntil = asks > now ? asks : null;
    const patch = {
      ...nickOf(asked.fields),
      ...(roles === undefined ? {} : { roles: roles ?? [] }),
      ...(until === undefined ? {} : { timedOutUntil }),
    };
    return deciding(state, rights, patch, asked, deps);
  },
  waitsFor: 'views',
  answer: (stored, { fields }, deps) => answering(stored, fields, deps),
});

export const editOwnMember = command({
  type: 'member.edit-own',
  summary: 'Change your own nickname in a guild.',
  route: {
    method: 'PATCH',
    path: '/guilds/:guild_id/members/@me',
    formerPath: '/guilds/:guild_id/members/@me/nick',
    status: 200,
    answers: 'The member.',
    answer: Member,
  },
  params: OnGuild,
  body: t.partial({ nick: optional(Nick) }),
  structural: true,
  check: refuseNotThere({ avatar: [], banner: [], bio: [''] }),
  stream: ({ guild_id }, { userId }) => memberStream(guild_id, userId),
  rights: moderating,
  decide: (state: MemberState, { rights }, asked, deps) => {
    const fields = { ...asked.fields, user_id: asked.context.actor.userId };
    return deciding(state, rights, nickOf(fields), { ...asked, fields }, deps);
  },
  waitsFor: 'views',
  answer: (stored, { fields, context }, deps) => answering(stored, { ...fields, user_id: context.actor.userId }, deps),
});
