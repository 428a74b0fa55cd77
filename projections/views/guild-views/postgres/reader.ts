import { type RawBuilder, sql } from 'kysely';
import { builder } from '../../../../stores/postgres/builder.ts';
import type { Postgres } from '../../../../stores/postgres/connection.ts';
import { boundOf, idKey, NOBODY } from '../../../../stores/postgres/values.ts';
import { type Build, statement } from '../../../../stores/statement.ts';
import {
  ANY_THREAD,
  ARCHIVED_EVER,
  channelRowOf,
  channelRowsOf,
  directRowsOf,
  guildOf,
  guildQueries,
  leavingOf,
  memberOf,
  namedOf,
  notificationsOf,
  relationRow,
  relationshipsOf,
  relationTypesOf,
  revisedFields,
  revisionOf,
  threadRowOf,
  threadRowsOf,
  userOf,
} from '../queries.ts';
import { type Revision, relationsSubject } from '../revisions.ts';
import type { GuildTables } from '../tables.ts';
import {
  type ArchivedThread,
  type ArchiveQuery,
  administratorsOf,
  type ChannelRow,
  type GuildReader,
  type GuildRow,
  type InviteRow,
  type Leaving,
  type MemberRow,
  type Membership,
  type NotificationsRow,
  type PastGuild,
  pastGuild,
  type RelationshipRow,
  type RevisionsQuery,
  type UserRow,
} from '../view.ts';

type Id = string;

/** Queries of one generation, built once. */
export const guildQuestions = (postgres: Postgres, schema: string) => {
  const ask = guildQueries(builder<GuildTables>(schema), 'string_agg');
  const plain = <Given extends readonly unknown[], Row>(name: string, build: Build<Given, Row>) =>
    postgres.prepared(`${schema} ${name}`, statement(build));
  const dated = <Given extends readonly unknown[], Row>(
    name: string,
    build: Build<[at: number | undefined, ...given: Given], Row>,
  ) => {
    const now = statement<Given, Row>((...given) => build(undefined, ...given), build.length - 1);
    const askNow = postgres.prepared(`${schema} ${name}`, now);
    const askAt = postgres.prepared(`${schema} ${name} at`, statement(build));
    return (at: number | undefined, ...given: Given) => (at === undefined ? askNow(...given) : askAt(at, ...given));
  };
  return {
    guild: dated('guild', ask.guild),
    guildsOf: dated('guilds of', ask.guildsOf),
    channel: dated('channel', ask.channel),
    channelsOf: dated('channels of', ask.channelsOf),
    thread: dated('thread', ask.thread),
    threadsOf: dated('threads of', ask.threadsOf),
    activeThreads: plain('active threads', ask.activeThreads),
    archivedThreads: plain('archived threads', ask.archivedThreads),
    joinedArchivedThreads: plain('joined archived threads', ask.joinedArchivedThreads),
    directChannelsOf: dated('direct channels of', ask.directChannelsOf),
    member: dated('member', ask.member),
    members: dated('members', ask.members),
    memberships: dated('memberships', ask.memberships),
    users: plain('users', (ids: readonly Id[]) => ask.users().where(sql<boolean>`u.id = any(${ids}::bigint[])`)),
    invite: dated('invite', (at: number | undefined, code: string) => ask.invites(at).where('i.code', '=', code)),
    invitesOf: dated('invites of', (at: number | undefined, guildId: Id) =>
      ask.invites(at).where('i.guild_id', '=', guildId).orderBy('i.code'),
    ),
    publicGuilds: dated('public guilds', ask.publicGuilds),
    countApplications: dated('count applications', ask.countApplications),
    countOpenInvites: dated('count open invites', ask.countOpenInvites),
    revisions: dated(
      'revisions',
      (at: number | undefined, userId: Id, after: number, limit: number, guildIds: readonly Id[]) =>
        ask.revisions(at, userId, after, limit).where(sql<boolean>`v.guild_id = any(${guildIds}::bigint[])`),
    ),
    relationships: dated('relationships', ask.relationships),
    notifications: dated('notifications', ask.notifications),
    relationsTo: dated('relations to', (at: number | undefined, userId: Id, subjects: readonly string[]) =>
      ask.relationsTo(at, userId).where(sql<boolean>`v.subject = any(${subjects}::text[])`),
    ),
    administrator: plain('administrator', ask.administrator),
    standings: plain('standings', ask.standings),
    named: plain('named administrators', ask.named),
  };
};

type GuildQuestions = ReturnType<typeof guildQuestions>;

export class PostgresGuildReader implements GuildReader {
  private readonly ask: GuildQuestions;
  private readonly at: number | undefined;

  /**
   * @param at position as of which guilds, channels, members and memberships are read and others counted, once every
   * event up to it is applied. Users, and the uses of invites without a cap, are always current.
   */
  constructor(ask: GuildQuestions, at?: number) {
    this.ask = ask;
    this.at = at;
  }

  async guild(id: Id): Promise<GuildRow | undefined> {
    const [row] = await this.ask.guild(this.at, idKey(id));
    const guild = row && guildOf(row);
    return guild?.isDeleted === true ? undefined : guild;
  }

  async channel(id: Id): Promise<ChannelRow | undefined> {
    const [row] = await this.ask.channel(this.at, idKey(id));
    if (row !== undefined) return channelRowOf(row, row.place);
    const [thread] = await this.ask.thread(this.at, idKey(id));
    return thread && threadRowOf(thread);
  }

  async threadsOf(guildId: Id, since = ARCHIVED_EVER): Promise<readonly ChannelRow[]> {
    return threadRowsOf(await this.ask.threadsOf(this.at, idKey(guildId), since));
  }

  async activeThreads({ after, limit }: { after?: Id; limit: number }): Promise<readonly ChannelRow[]> {
    return threadRowsOf(await this.ask.activeThreads(after ?? NOBODY, limit));
  }

  async archivedThreads({
    parentId,
    isPrivate,
    joinedBy,
    before,
    limit,
  }: ArchiveQuery): Promise<readonly ArchivedThread[]> {
    const rows =
      joinedBy === undefined
        ? await this.ask.archivedThreads(idKey(parentId), Number(isPrivate), Number(before ?? ARCHIVED_EVER), limit)
        : await this.ask.joinedArchivedThreads(idKey(parentId), joinedBy, boundOf(String(before ?? ANY_THREAD)), limit);
    return rows.map(({ id, time }) => ({ id, time: Number(time) }));
  }

  async channelsOf(guildId: Id): Promise<readonly ChannelRow[]> {
    return channelRowsOf(await this.ask.channelsOf(this.at, idKey(guildId)));
  }

  async member(guildId: Id, userId: Id): Promise<MemberRow | undefined> {
    const [row] = await this.ask.member(this.at, idKey(guildId), idKey(userId));
    return row && memberOf(guildId, row);
  }

  async members(guildId: Id, { after, limit }: { after?: Id; limit: number }): Promise<readonly MemberRow[]> {
    const beyond = after === undefined ? NOBODY : boundOf(after);
    return (await this.ask.members(this.at, idKey(guildId), beyond, limit)).map((row) => memberOf(guildId, row));
  }

  async guildsOf(userId: Id): Promise<readonly GuildRow[]> {
    const all = (await this.ask.guildsOf(this.at, idKey(userId))).map(guildOf);
    return all.filter(({ isDeleted }) => isDeleted !== true);
  }

  async memberships(userId: Id, since: number): Promise<readonly Membership[]> {
    const stays = await this.ask.memberships(this.at, idKey(userId), since);
    return stays.filter(({ leftAt }) => leftAt === null || leftAt > since);
  }

  async directChannelsOf(userId: Id): Promise<readonly ChannelRow[]> {
    return directRowsOf(await this.ask.directChannelsOf(this.at, idKey(userId)), userId);
  }

  async user(id: Id): Promise<UserRow | undefined> {
    return (await this.users([id]))[0];
  }

  async users(ids: readonly Id[]): Promise<readonly UserRow[]> {
    return ids.length === 0 ? [] : (await this.ask.users(ids.map(idKey))).map(userOf);
  }

  async invite(code: string): Promise<InviteRow | undefined> {
    return (await this.ask.invite(this.at, code))[0];
  }

  invitesOf(guildId: Id): Promise<readonly InviteRow[]> {
    return this.ask.invitesOf(this.at, idKey(guildId));
  }

  async publicGuilds(limit: number): Promise<readonly GuildRow[]> {
    return (await this.ask.publicGuilds(this.at, limit)).map(guildOf);
  }

  async countApplications(ownerId: Id): Promise<number> {
    return (await this.ask.countApplications(this.at, idKey(ownerId)))[0]!.count;
  }

  async countOpenInvites(guildId: Id, inviterId: Id, now: number): Promise<number> {
    return (await this.ask.countOpenInvites(this.at, idKey(guildId), idKey(inviterId), now))[0]!.count;
  }

  async past(guildId: Id, userId: Id, position: number): Promise<PastGuild | undefined> {
    return pastGuild(new PostgresGuildReader(this.ask, position), guildId, userId);
  }

  async revisions(userId: Id, { guildIds, after, limit }: RevisionsQuery): Promise<readonly Revision[]> {
    if (guildIds.length === 0) return [];
    return (await this.ask.revisions(this.at, userId, after, limit, guildIds.map(idKey))).map(revisionOf);
  }

  async relationships(userId: Id): Promise<readonly RelationshipRow[]> {
    const [row] = await this.ask.relationships(this.at, userId);
    return relationshipsOf(revisedFields(row?.fields ?? null));
  }

  async notifications(userId: Id): Promise<readonly NotificationsRow[]> {
    const [row] = await this.ask.notifications(this.at, userId);
    return notificationsOf(revisedFields(row?.fields ?? null));
  }

  async relationsTo(userId: Id, people: readonly Id[]) {
    return relationTypesOf(
      (await this.ask.relationsTo(this.at, userId, people.map(relationsSubject))).map(relationRow),
    );
  }

  async administrator(): Promise<Id | undefined> {
    return (await this.ask.administrator())[0]?.id;
  }

  async leaving(): Promise<readonly Leaving[]> {
    return leavingOf(await this.ask.standings());
  }

  async administrators(): Promise<readonly Id[]> {
    const [first, named] = await Promise.all([this.administrator(), this.ask.named()]);
    return administratorsOf(first, namedOf(named));
  }
}

/**
 * Rows by table as they were at a position. Excludes the joinings per invite, of which only the current count is known.
 */
export const guildRowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  guilds: sql`SELECT * FROM guilds WHERE created_at <= ${at}`,
  guild_counts: sql`SELECT guild_id, members - coalesce(begun, 0) + coalesce(ended, 0)
    FROM guild_counts LEFT JOIN (
      SELECT guild_id, count(*) FILTER (WHERE joined_at > ${at} AND left_at IS NULL) AS begun,
        count(*) FILTER (WHERE joined_at <= ${at}) AS ended
      FROM memberships WHERE (joined_at > ${at} AND left_at IS NULL) OR left_at > ${at} GROUP BY guild_id
    ) since USING (guild_id)
    WHERE members - coalesce(begun, 0) + coalesce(ended, 0) <> 0`,
  channels: sql`SELECT * FROM channels WHERE created_at <= ${at}`,
  threads: sql`SELECT * FROM threads WHERE created_at <= ${at}`,
  thread_spans: sql`SELECT thread_id, guild_id, began_at, CASE WHEN ended_at <= ${at} THEN ended_at END,
      CASE WHEN ended_at <= ${at} THEN ended_time END FROM thread_spans WHERE began_at <= ${at}`,
  direct_channels: sql`SELECT d.* FROM direct_channels d JOIN channels c ON c.id = d.channel_id WHERE c.created_at <= ${at}
    AND (c.participants LIKE '%"' || d.user_id || '"%' OR EXISTS (SELECT FROM revisions v
      WHERE v.subject = 'channel:' || d.channel_id AND v.field = 'recipient:' || d.user_id AND v.position <= ${at}))`,
  memberships: sql`SELECT guild_id, user_id, joined_at, joined_time, CASE WHEN left_at <= ${at} THEN left_at END
    FROM memberships WHERE joined_at <= ${at}`,
  revisions: sql`SELECT * FROM revisions WHERE position <= ${at}`,
  users: sql`SELECT * FROM users WHERE registered_at <= ${at}`,
  sign_outs: sql`SELECT * FROM sign_outs WHERE position <= ${at}`,
  user_revisions: sql`SELECT * FROM user_revisions WHERE position <= ${at}`,
  invites: sql`SELECT code, guild_id, channel_id, inviter_id, max_uses, created_at, created_time, expires_at,
    CASE WHEN deleted_at <= ${at} THEN deleted_at END FROM invites WHERE created_at <= ${at}`,
  redemptions: sql`SELECT * FROM redemptions WHERE position <= ${at}`,
});
