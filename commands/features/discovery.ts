/** Joining a guild that anybody finds, without an invite. */

import { either } from 'fp-ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { Guild } from '../../schemas/http/shapes.ts';
import { memberStream } from '../../schemas/streams.ts';
import { command, outcome, refused, viewsHold } from '../command.ts';
import { joinFreely, refusedEntry, refusedUnlessIn } from './members.ts';

export const joinPublic = command({
  type: 'guild.join-public',
  summary: 'Join a guild that anybody finds.',
  route: {
    method: 'PUT',
    path: '/guilds/:guild_id/members/@me',
    status: 200,
    answers: 'The guild.',
    answer: Guild,
    ours: true,
  },
  params: OnGuild,
  structural: true,
  holdsUp: true,
  limit: { bucket: 'guildJoin', key: (_, { userId }) => userId },
  carryOut: async ({ fields: { guild_id: guildId }, context, cause }, deps) => {
    if (context.actor.kind === 'bot') return refused('botsCannot');
    const { userId } = context.actor;
    const { guilds } = deps.views;
    const row = await guilds.guild(guildId);
    const joining = { guildId, userId, cause };
    // Nobody outside learns of a guild that is not public, from the time it takes either, nor sees it when they repeat a join.
    const isPublic = row?.isPublic === true;
    const refusal = isPublic ? await refusedEntry(row, context.actor, deps) : 'unknownGuild';
    const joined = await (refusal === undefined
      ? joinFreely(deps, joining, null)
      : refusedUnlessIn(deps, joining, isPublic ? [memberStream(guildId, userId)] : [], refusal));
    if (either.isLeft(joined)) return joined;
    if (row === undefined) return refused('unknownGuild');
    const { stream, done } = joined.right;
    await viewsHold(deps, done.position);
    return outcome(stream, done, { kind: 'guild', guild: (await guilds.guild(guildId)) ?? row, viewer: userId });
  },
});
