/** Guild membership: joining and leaving. Bots are added in `bots.ts`. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { type Decision, nothing, refuse } from '../../domain/decider.ts';
import * as invite from '../../domain/invite.ts';
import * as member from '../../domain/member.ts';
import type { GuildRow, InviteRow } from '../../projections/views/guild-views/view.ts';
import type { Actor } from '../../schemas/actor.ts';
import { text } from '../../schemas/codecs.ts';
import type { ErrorName } from '../../schemas/errors.ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { Invite } from '../../schemas/http/shapes.ts';
import { inviteStream, memberStream } from '../../schemas/streams.ts';
import { type CommandDeps, command, outcome, type Result, refused, viewsHold, whenFollowedUp } from '../command.ts';
import type { Done } from '../mailbox.ts';
import type { Cause } from '../new-events.ts';
import { joiningStep, stepKey } from '../processes.ts';
import { inTooManyGuilds } from './guilds.ts';
import { asCreated } from './invites.ts';
import { announcingChannel, messageOfJoining } from './join-messages.ts';

/** Codes are made of letters and digits (`creation-names.ts`). */
const CODE = /^[\da-zA-Z]+$/;
const NOTHING_TO_PREPARE = either.right(undefined);

type Joined = Result<{ readonly stream: string; readonly done: Done }>;

interface Joining {
  readonly guildId: string;
  readonly userId: string;
  readonly cause: Cause;
}

/** The stream of the membership decides whether the person is a member, whatever the views know. */
const joinAt = async (
  deps: CommandDeps,
  { guildId, userId, cause }: Joining,
  decide: (state: member.MemberState) => Decision,
): Promise<Joined> => {
  const stream = memberStream(guildId, userId);
  const joined = await deps.mailboxes.run({ stream, cause, prepare: async () => NOTHING_TO_PREPARE, decide });
  return either.isLeft(joined) ? joined : either.right({ stream, done: joined.right });
};

/** What the command did under its key on one of these streams, whatever would refuse it today; else that refusal. */
const refusedUnlessDone = async (
  deps: CommandDeps,
  cause: Cause,
  streams: readonly string[],
  refusal: ErrorName,
): Promise<Joined> => {
  for (const stream of streams) {
    const asked = await deps.mailboxes.run({
      ...{ stream, cause, prepare: async () => NOTHING_TO_PREPARE },
      decide: () => nothing,
    });
    if (either.isLeft(asked)) return asked;
    if (asked.right.known.length > 0) return either.right({ stream, done: asked.right });
  }
  return refused(refusal);
};

/** For whoever may not come in: a member is in already, as the stream of the membership says. */
export const refusedUnlessIn = async (
  deps: CommandDeps,
  joining: Joining,
  streams: readonly string[],
  refusal: ErrorName,
): Promise<Joined> => {
  let isIn = false;
  const asked = await joinAt(deps, joining, ({ joined }) => {
    isIn = joined;
    return nothing;
  });
  return either.isLeft(asked) || isIn ? asked : refusedUnlessDone(deps, joining.cause, streams, refusal);
};

export const joinFreely = async (
  deps: CommandDeps,
  joining: Joining,
  code: string | null,
  inviteExpired = false,
): Promise<Joined> => {
  const { guildId, userId, cause } = joining;
  const announcedIn = await announcingChannel(deps.views.guilds, guildId);
  const joined = await joinAt(deps, joining, (state) =>
    member.join({ guildId, userId, invite: code, inviteExpired, announcedIn, key: cause.key }, state),
  );
  // In a cluster nobody else posts the message at once. Nobody waits for it.
  if (either.isRight(joined)) void deps.processes.finish(joined.right.done.events);
  return joined;
};

/** Why a guild does not take somebody in for the moment. */
export const refusedEntry = async (
  { pauses }: GuildRow,
  actor: Actor,
  deps: CommandDeps,
): Promise<ErrorName | undefined> => {
  if (pauses.invitesUntil !== null && pauses.invitesUntil > deps.now()) return 'invitesPaused';
  return (await inTooManyGuilds(deps, actor)) ? 'maximumGuilds' : undefined;
};

/** The invite's stream decides who gets its places, and a repeat has its first answer whatever has come of them since. */
const joinThroughCap = async (deps: CommandDeps, joining: Joining, code: string): Promise<Joined> => {
  const { userId, cause } = joining;
  let isIn = false;
  let isBanned = false;
  const asked = await joinAt(deps, joining, (state) => {
    isIn = state.joined || state.keys.has(cause.key);
    isBanned = state.banned;
    return nothing;
  });
  if (either.isLeft(asked) || isIn) return asked;
  const stream = inviteStream(code);
  let isRepeat = false;
  const redeemed = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => NOTHING_TO_PREPARE,
    decide: (state: invite.InviteState) => {
      isRepeat = state.redeemed.get(userId) === cause.key;
      if (isBanned && !isRepeat) return refuse('userBanned');
      return invite.redeem({ userId, key: cause.key, now: deps.now() }, state);
    },
  });
  if (either.isLeft(redeemed)) return redeemed;
  const done = redeemed.right;
  // They have had a place: they asked twice at once, or they come back.
  if (done.events.length === 0 && !isRepeat) return joinFreely(deps, joining, code);
  const position = await whenFollowedUp(deps, stream, cause.key, done);
  const [event] = [...done.events, ...done.known];
  // They may have been banned between the two.
  const allowed = await joinAt(deps, joining, ({ banned, keys }) =>
    banned && !(event && keys.has(stepKey(event))) ? refuse('userBanned') : nothing,
  );
  if (either.isLeft(allowed)) return allowed;
  return either.right({ stream, done: { ...done, position } });
};

/** What an invite says. Only its uses ever change. The views may not know it yet, and know no deleted one. */
const inviteOf = async (
  deps: CommandDeps,
  code: string,
): Promise<{ readonly row: InviteRow; readonly isDeleted: boolean } | undefined> => {
  const known = await deps.views.guilds.invite(code);
  if (known !== undefined) return { row: known, isDeleted: false };
  if (!CODE.test(code)) return undefined;
  const [created, ...later] = await deps.log.readStream({ stream: inviteStream(code), from: 1, limit: 128 });
  const row = asCreated(created);
  return row && { row, isDeleted: later.some(({ type }) => type === 'invite-deleted') };
};

export const joinGuild = command({
  type: 'guild.join',
  summary: 'Join the guild of an invite.',
  route: { method: 'POST', path: '/invites/:code', status: 200, answers: 'The invite.', answer: Invite },
  params: t.type({ code: text(2, 32, 'code') }),
  structural: true,
  limit: { bucket: 'guildJoin', key: (_, { userId }) => userId },
  holdsUp: true,
  follow: {
    'invite-redeemed': async function* ({ data: { guildId, userId, code } }, { guilds }) {
      yield joiningStep({ guildId, userId, invite: code, announcedIn: await announcingChannel(guilds, guildId) });
    },
    'member-joined': messageOfJoining,
  },
  carryOut: async ({ fields, context, cause }, deps) => {
    if (context.actor.kind === 'bot') return refused('botsCannot');
    const found = await inviteOf(deps, fields.code);
    if (found === undefined) return refused('unknownInvite');
    const { row, isDeleted } = found;
    const { guilds } = deps.views;
    const [leadsTo, into] = await Promise.all([guilds.channel(row.channelId), guilds.guild(row.guildId)]);
    if (into === undefined) return refused('unknownInvite');
    const { userId } = context.actor;
    const joining = { guildId: row.guildId, userId, cause };
    const streams = [memberStream(row.guildId, userId), inviteStream(row.code)];
    const refusal = await refusedEntry(into, context.actor, deps);
    const joined = await (isDeleted || leadsTo?.isDeleted === true
      ? refusedUnlessDone(deps, cause, streams, 'unknownInvite')
      : refusal !== undefined
        ? refusedUnlessIn(deps, joining, streams, refusal)
        : row.maxUses > 0
          ? joinThroughCap(deps, joining, row.code)
          : joinFreely(deps, joining, row.code, invite.hasExpired(row, deps.now())));
    if (either.isLeft(joined)) return joined;
    const { stream, done } = joined.right;
    await viewsHold(deps, done.position);
    return outcome(stream, done, { kind: 'invite', invite: row });
  },
});

export const leaveGuild = command({
  type: 'guild.leave',
  summary: 'Leave a guild.',
  route: { method: 'DELETE', path: '/users/@me/guilds/:guild_id', status: 204, answers: 'Nothing.' },
  params: OnGuild,
  structural: true,
  holdsUp: true,
  stream: ({ guild_id }, { userId }) => memberStream(guild_id, userId),
  rights: async ({ fields }, deps) => either.right((await deps.views.guilds.guild(fields.guild_id))?.ownerId),
  decide: (state: member.MemberState, { rights: ownerId }, { fields, context, cause }) =>
    member.leave({ guildId: fields.guild_id, userId: context.actor.userId, ownerId, key: cause.key }, state),
  waitsFor: 'views',
});
