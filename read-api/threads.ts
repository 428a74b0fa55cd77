/** Threads: the active ones of a guild, the archived ones of a channel, and who is in one. */
import { either } from 'fp-ts';
import * as t from 'io-ts';
import { allows, isInThread, Permission } from '../domain/permissions.ts';
import { compareIds } from '../domain/snowflake.ts';
import { isThread, presentThreadMember, type Thread } from '../presenter/threads.ts';
import type { ChannelRow } from '../projections/views/guild-views/view.ts';
import { IsoTime, Snowflake, SnowflakeBound, text } from '../schemas/codecs.ts';
import { OnChannel, OnGuild, type Route } from '../schemas/http/route.ts';
import { ActiveThreads, ArchivedThreads, ThreadMember } from '../schemas/http/shapes.ts';
import {
  type Answer,
  found,
  limitOf,
  presentChannels,
  type ReadDeps,
  readRoute,
  refused,
  saysYes,
} from './read-route.ts';

/** Threads with the asker's own memberships of them. */
const listed = async (deps: ReadDeps, rows: readonly ChannelRow[], asker: string) => {
  const threads = await presentChannels(deps, rows, asker);
  return { threads, members: threads.flatMap(({ member }) => member ?? []) };
};

const OLDEST = 50;

type Archive = 'public' | 'private' | 'joined';

interface ArchivePage {
  readonly before?: number | string | undefined;
  readonly limit?: number | undefined;
}

/** Those that the asker may view, each as it is now. */
const archivedIn = async (
  deps: ReadDeps,
  asker: string,
  { channelId, archive }: { readonly channelId: string; readonly archive: Archive },
  { before, limit = OLDEST }: ArchivePage,
): Promise<Answer> => {
  const access = await deps.access.channel(asker, channelId);
  if (access === undefined) return refused('unknownChannel');
  if (access.guild === undefined || access.channel.thread !== undefined) return refused('wrongChannelType');
  const wanted =
    archive === 'private' ? Permission.readMessageHistory | Permission.manageThreads : Permission.readMessageHistory;
  if (!allows(access.permissions, wanted)) return refused('missingPermissions');
  const page = async (most: number, from: typeof before) =>
    deps.views.guilds.archivedThreads({
      ...{ parentId: channelId, isPrivate: archive !== 'public', limit: most },
      ...(archive === 'joined' ? { joinedBy: asker } : {}),
      ...(from === undefined ? {} : { before: from }),
    });
  const threads = await page(limit, before);
  const last = threads.length < limit ? undefined : threads.at(-1);
  const hasMore = last !== undefined && (await page(1, archive === 'joined' ? last.id : last.time)).length > 0;
  const rows = await Promise.all(threads.map(({ id }) => deps.access.channel(asker, id)));
  const seen = rows.flatMap((row) => (row?.channel.thread?.details.archived === true ? [row.channel] : []));
  const member = await deps.views.guilds.member(access.guild.id, asker);
  const own =
    archive === 'joined' ? seen.filter(({ thread }) => member !== undefined && isInThread(thread!, member)) : seen;
  return found({ ...(await listed(deps, own, asker)), has_more: hasMore });
};

const archiveRoute = <Before extends t.Mixed>(
  deps: ReadDeps,
  archive: Archive,
  { path, summary, before }: { readonly path: string; readonly summary: string; readonly before: Before },
): Route =>
  readRoute(deps, {
    path,
    reads: ['guild-views', 'unread'],
    summary,
    params: OnChannel,
    query: t.partial({ before: before as t.Type<number | string, unknown, unknown>, limit: limitOf(100) }),
    answers: '{threads, members, has_more}, the last archived first; members: the asker, of those joined',
    answer: ArchivedThreads,
    handle: ({ actor, params, query }) =>
      archivedIn(deps, actor.userId, { channelId: params.channel_id, archive }, query),
  });

const threadFor = async (deps: ReadDeps, asker: string, channelId: string): Promise<either.Either<Answer, Thread>> => {
  const access = await deps.access.channel(asker, channelId);
  if (access === undefined) return either.left(refused('unknownChannel'));
  return isThread(access.channel) ? either.right(access.channel) : either.left(refused('wrongChannelType'));
};

/** Who is in a thread and in its guild, by user id. */
const membersOf = async (
  deps: ReadDeps,
  { id, guildId, thread }: Thread,
  userIds: readonly string[],
  withMember: boolean,
) => {
  const shown = userIds.map(async (userId) => {
    const member = await deps.views.guilds.member(guildId!, userId);
    const stay = thread.members[userId];
    if (member === undefined || stay?.stay !== member.joinedAt) return [];
    return [presentThreadMember(id, userId, stay, withMember ? await deps.presenter.member(member) : undefined)];
  });
  return (await Promise.all(shown)).flat();
};

const WithMember = t.partial({ with_member: text(0, 16) });
const OnMember = t.type({ channel_id: Snowflake, user_id: Snowflake });

export const threadRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/guilds/:guild_id/threads/active',
    reads: ['guild-views', 'unread'],
    summary: 'The active threads of a guild that the asker may see',
    params: OnGuild,
    answers: '{threads, members}, by id; members: the asker, of those joined',
    answer: ActiveThreads,
    handle: async ({ actor, params }) => {
      const access = await deps.access.guild(actor.userId, params.guild_id);
      if (access === undefined) return refused('unknownGuild');
      const rows = await deps.access.visibleThreads(access.guild, access.member);
      return found(await listed(deps, rows, actor.userId));
    },
  }),
  archiveRoute(deps, 'public', {
    path: '/channels/:channel_id/threads/archived/public',
    summary: 'The archived public threads of a channel',
    before: IsoTime,
  }),
  archiveRoute(deps, 'private', {
    path: '/channels/:channel_id/threads/archived/private',
    summary: 'The archived private threads of a channel, for those who manage threads',
    before: IsoTime,
  }),
  archiveRoute(deps, 'joined', {
    path: '/channels/:channel_id/users/@me/threads/archived/private',
    summary: 'The archived private threads of a channel that the asker has joined, by id from the highest',
    before: SnowflakeBound,
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/thread-members',
    summary: 'Who is in a thread',
    params: OnChannel,
    query: t.intersection([t.partial({ after: SnowflakeBound, limit: limitOf(100) }), WithMember]),
    answers: 'a list of members of the thread, by user id',
    answer: t.readonlyArray(ThreadMember),
    handle: async ({ actor, params, query: { after, limit = 100, with_member = '' } }) => {
      const thread = await threadFor(deps, actor.userId, params.channel_id);
      if (either.isLeft(thread)) return thread.left;
      const ids = Object.keys(thread.right.thread.members)
        .filter((id) => after === undefined || compareIds(id, after) > 0)
        .sort(compareIds);
      const all = await membersOf(deps, thread.right, ids, saysYes(with_member));
      return found(all.slice(0, limit));
    },
  }),
  readRoute(deps, {
    path: '/channels/:channel_id/thread-members/:user_id',
    summary: 'A member of a thread',
    params: OnMember,
    query: WithMember,
    answers: 'a member of the thread',
    answer: ThreadMember,
    handle: async ({ actor, params, query: { with_member = '' } }) => {
      const thread = await threadFor(deps, actor.userId, params.channel_id);
      if (either.isLeft(thread)) return thread.left;
      const [one] = await membersOf(deps, thread.right, [params.user_id], saysYes(with_member));
      return one === undefined ? refused('unknownMember') : found(one);
    },
  }),
];
