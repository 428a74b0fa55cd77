/** Joining a guild that anybody finds, without an invite. */

import { either } from 'fp-ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { Guild } from '../../schemas/http/shapes.ts';
import { command, outcome, refused, viewsHold } from '../command.ts';
import { inTooManyGuilds } from './guilds.ts';
import { joinFreely, refusedEntry } from './members.ts';

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
    const [row, already] = await Promise.all([guilds.guild(guildId), guilds.member(guildId, userId)]);
    if (row === undefined || (!row.isPublic && already === undefined)) return refused('unknownGuild');
    if (already === undefined) {
      const refusal = refusedEntry(row, deps.now());
      if (refusal !== undefined) return refused(refusal);
      if (await inTooManyGuilds(deps, context.actor)) return refused('maximumGuilds');
    }
    const joined = await joinFreely(deps, { guildId, userId, cause }, null);
    if (either.isLeft(joined)) return joined;
    const { stream, done } = joined.right;
    await viewsHold(deps, done.position);
    return outcome(stream, done, { kind: 'guild', guild: (await guilds.guild(guildId)) ?? row, viewer: userId });
  },
});
