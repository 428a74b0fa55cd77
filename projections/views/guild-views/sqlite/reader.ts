import { sql } from 'kysely';
import { lru, sizedLru } from '../../../../schemas/lru.ts';
import { roughBytes } from '../../../../schemas/sizes.ts';
import type { Soon } from '../../../../schemas/soon.ts';
import type { TimeSlices } from '../../../../schemas/time-slices.ts';
import { builder, built, type Connection, IDS_PER_STEP, idKey, idKeys } from '../../../../stores/sqlite/statements.ts';
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
import { keepRelations, keptRelations, type RelationCache } from '../relations.ts';
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
  type RelationshipRow,
  type RevisionsQuery,
  type UserRow,
} from '../view.ts';

// Caches in memory what every command reads. The writer evicts what it touches, so only committed rows are visible.

const PEOPLE = 50_000;
const PLACES = 10_000;
const LISTS = 1_000;

export const memberKey = (guildId: string, userId: string) => `${guildId}_${userId}`;

/** Of each kind of place: one with many overwrites takes as much as hundreds without. */
const PLACE_BYTES = 33_554_432;

const places = <Row extends object>(max: number) => sizedLru<string, Row>(max, PLACE_BYTES, roughBytes);

export class GuildCache {
  readonly guilds = places<GuildRow>(PLACES);
  readonly channels = places<ChannelRow>(PLACES);
  readonly channelLists = places<readonly ChannelRow[]>(LISTS);
  readonly members = lru<string, MemberRow>(PEOPLE);
  readonly users = lru<string, UserRow>(PEOPLE);
  readonly relations: RelationCache = lru(PEOPLE);
  administrators: readonly string[] | undefined;
}

type Id = string;

const ask = guildQueries(builder<GuildTables>(), 'group_concat');

/** Smaller than every id. */
const NOBODY = '-1';

/** No event beyond the position asked for is ever applied, so all but the past ones mean the current state. */
const prepare = (db: Connection) => ({
  guild: built(db, (id: Id) => ask.guild(undefined, id)),
  guildsOf: built(db, (userId: Id) => ask.guildsOf(undefined, userId)),
  channel: built(db, (id: Id) => ask.channel(undefined, id)),
  channelsOf: built(db, (guildId: Id) => ask.channelsOf(undefined, guildId)),
  thread: built(db, (id: Id) => ask.thread(undefined, id)),
  threadsOf: built(db, (guildId: Id, since: number) => ask.threadsOf(undefined, guildId, since)),
  activeThreads: built(db, (after: Id, limit: number) => ask.activeThreads(after, limit)),
  archivedThreads: built(db, (parentId: Id, isPrivate: number, before: number, limit: number) =>
    ask.archivedThreads(parentId, isPrivate, before, limit),
  ),
  joinedArchivedThreads: built(db, (parentId: Id, userId: Id, before: Id, limit: number) =>
    ask.joinedArchivedThreads(parentId, userId, before, limit),
  ),
  directChannelsOf: built(db, (userId: Id) => ask.directChannelsOf(undefined, userId)),
  member: built(db, (guildId: Id, userId: Id) => ask.member(undefined, guildId, userId)),
  members: built(db, (guildId: Id, after: Id, limit: number) => ask.members(undefined, guildId, after, limit)),
  memberships: built(db, (userId: Id, since: number) => ask.memberships(undefined, userId, since)),
  user: built(db, (id: Id) => ask.users().where('u.id', '=', id)),
  users: built(db, (ids: string) => ask.users().where(sql<boolean>`u.id IN (SELECT value FROM json_each(${ids}))`)),
  invite: built(db, (code: string) => ask.invites(undefined).where('i.code', '=', code)),
  invitesOf: built(db, (guildId: Id) => ask.invites(undefined).where('i.guild_id', '=', guildId).orderBy('i.code')),
  publicGuilds: built(db, (limit: number) => ask.publicGuilds(undefined, limit)),
  countApplications: built(db, (ownerId: Id) => ask.countApplications(undefined, ownerId)),
  countOpenInvites: built(db, (guildId: Id, inviterId: Id, now: number) =>
    ask.countOpenInvites(undefined, guildId, inviterId, now),
  ),
  administrator: built(db, ask.administrator),
  named: built(db, ask.named),
  standings: built(db, ask.standings),
  revisions: built(db, (userId: Id, after: number, limit: number, guildIds: string) =>
    ask
      .revisions(undefined, userId, after, limit)
      .where(sql<boolean>`v.guild_id IN (SELECT value FROM json_each(${guildIds}))`),
  ),
  relationships: built(db, (userId: Id) => ask.relationships(undefined, userId)),
  notifications: built(db, (userId: Id) => ask.notifications(undefined, userId)),
  relationsTo: built(db, (userId: Id, subjects: string) =>
    ask.relationsTo(undefined, userId).where(sql<boolean>`v.subject IN (SELECT value FROM json_each(${subjects}))`),
  ),
  pastGuild: built(db, (at: number, id: Id) => ask.guild(at, id)),
  pastChannelsOf: built(db, (at: number, guildId: Id) => ask.channelsOf(at, guildId)),
  pastThreadsOf: built(db, (at: number, guildId: Id, since: number) => ask.threadsOf(at, guildId, since)),
  pastMember: built(db, (at: number, guildId: Id, userId: Id) => ask.member(at, guildId, userId)),
});

export class SqliteGuildReader implements GuildReader {
  private readonly ask: ReturnType<typeof prepare>;
  private readonly cache: GuildCache;
  private readonly slices: TimeSlices;
  private firstPerson: string | undefined;

  /** @param slices shared by all readers of the file, so that loops of small reads let other work run in between */
  constructor(db: Connection, cache: GuildCache, slices: TimeSlices) {
    this.ask = prepare(db);
    this.cache = cache;
    this.slices = slices;
  }

  guild(id: string): Soon<GuildRow | undefined> {
    const known = this.cache.guilds.get(id);
    if (known !== undefined) return known;
    return this.slices.step(() => {
      const found = this.ask.guild.get(idKey(id));
      if (found === undefined) return undefined;
      const row = guildOf(found);
      if (row.isDeleted === true) return undefined;
      this.cache.guilds.set(id, row);
      return row;
    });
  }

  channel(id: string): Soon<ChannelRow | undefined> {
    const known = this.cache.channels.get(id);
    if (known !== undefined) return known;
    return this.slices.step(() => {
      const found = this.ask.channel.get(idKey(id));
      const thread = found === undefined ? this.ask.thread.get(idKey(id)) : undefined;
      if (found === undefined && thread === undefined) return undefined;
      const row = found === undefined ? threadRowOf(thread!) : channelRowOf(found, found.place);
      this.cache.channels.set(id, row);
      return row;
    });
  }

  async channelsOf(guildId: string): Promise<readonly ChannelRow[]> {
    // A step also for a known list: whoever asks for many looks at every channel of each.
    return this.slices.step(() => {
      const known = this.cache.channelLists.get(guildId);
      if (known !== undefined) return known;
      const rows = channelRowsOf(this.ask.channelsOf.all(idKey(guildId)));
      this.cache.channelLists.set(guildId, rows);
      return rows;
    });
  }

  async threadsOf(guildId: string, since = ARCHIVED_EVER): Promise<readonly ChannelRow[]> {
    return this.slices.step(() => threadRowsOf(this.ask.threadsOf.all(idKey(guildId), since)));
  }

  async activeThreads({ after, limit }: { after?: string; limit: number }): Promise<readonly ChannelRow[]> {
    return this.slices.step(() => threadRowsOf(this.ask.activeThreads.all(after ?? NOBODY, limit)));
  }

  async archivedThreads({
    parentId,
    isPrivate,
    joinedBy,
    before,
    limit,
  }: ArchiveQuery): Promise<readonly ArchivedThread[]> {
    const { ask } = this;
    return this.slices.step(() =>
      (joinedBy === undefined
        ? ask.archivedThreads.all(idKey(parentId), Number(isPrivate), Number(before ?? ARCHIVED_EVER), limit)
        : ask.joinedArchivedThreads.all(idKey(parentId), joinedBy, String(before ?? ANY_THREAD), limit)
      ).map(({ id, time }) => ({ id, time: Number(time) })),
    );
  }

  member(guildId: string, userId: string): Soon<MemberRow | undefined> {
    const key = memberKey(guildId, userId);
    const known = this.cache.members.get(key);
    if (known !== undefined) return known;
    return this.slices.step(() => {
      const found = this.ask.member.get(idKey(guildId), idKey(userId));
      if (found === undefined) return undefined;
      const row = memberOf(guildId, found);
      this.cache.members.set(key, row);
      return row;
    });
  }

  async members(guildId: string, { after, limit }: { after?: string; limit: number }): Promise<readonly MemberRow[]> {
    return this.slices.step(() =>
      this.ask.members.all(idKey(guildId), after ?? NOBODY, limit).map((columns) => memberOf(guildId, columns)),
    );
  }

  async guildsOf(userId: string): Promise<readonly GuildRow[]> {
    const all = await this.slices.step(() => this.ask.guildsOf.all(idKey(userId)).map(guildOf));
    return all.filter(({ isDeleted }) => isDeleted !== true);
  }

  async memberships(userId: string, since: number): Promise<readonly Membership[]> {
    const stays = await this.slices.step(() => this.ask.memberships.all(idKey(userId), since));
    return stays.filter(({ leftAt }) => leftAt === null || leftAt > since);
  }

  async directChannelsOf(userId: string): Promise<readonly ChannelRow[]> {
    return this.slices.step(() => directRowsOf(this.ask.directChannelsOf.all(idKey(userId)), userId));
  }

  async user(id: string): Promise<UserRow | undefined> {
    const known = this.cache.users.get(id);
    if (known !== undefined) return known;
    return this.slices.step(() => {
      const found = this.ask.user.get(idKey(id));
      return found === undefined ? undefined : this.keep(userOf(found));
    });
  }

  async users(ids: readonly string[]): Promise<readonly UserRow[]> {
    const rows: UserRow[] = [];
    const missing: string[] = [];
    for (const id of new Set(ids)) {
      const known = this.cache.users.get(id);
      if (known === undefined) missing.push(id);
      else rows.push(known);
    }
    const read = (some: readonly string[]) =>
      this.ask.users.all(idKeys(some)).map((columns) => this.keep(userOf(columns)));
    return [...rows, ...(await this.slices.pieces(missing, IDS_PER_STEP, read))];
  }

  private keep(row: UserRow): UserRow {
    this.cache.users.set(row.id, row);
    return row;
  }

  async invite(code: string): Promise<InviteRow | undefined> {
    return this.ask.invite.get(code);
  }

  async invitesOf(guildId: string): Promise<readonly InviteRow[]> {
    return this.slices.step(() => this.ask.invitesOf.all(idKey(guildId)));
  }

  async publicGuilds(limit: number): Promise<readonly GuildRow[]> {
    return this.slices.step(() => this.ask.publicGuilds.all(limit).map(guildOf));
  }

  async countApplications(ownerId: string): Promise<number> {
    return this.ask.countApplications.get(idKey(ownerId))!.count;
  }

  async countOpenInvites(guildId: string, inviterId: string, now: number): Promise<number> {
    return this.ask.countOpenInvites.get(idKey(guildId), idKey(inviterId), now)!.count;
  }

  async past(guildId: string, userId: string, position: number): Promise<PastGuild | undefined> {
    const { ask } = this;
    return this.slices.step(() => {
      const found = ask.pastGuild.get(position, idKey(guildId));
      const guild = found && guildOf(found);
      const member = ask.pastMember.get(position, idKey(guildId), idKey(userId));
      if (guild === undefined || guild.isDeleted === true || member === undefined) return undefined;
      const channels = channelRowsOf(ask.pastChannelsOf.all(position, idKey(guildId)));
      const threads = threadRowsOf(ask.pastThreadsOf.all(position, idKey(guildId), ARCHIVED_EVER));
      return { guild, member: memberOf(guildId, member), channels, threads };
    });
  }

  async revisions(userId: string, { guildIds, after, limit }: RevisionsQuery): Promise<readonly Revision[]> {
    return this.slices.step(() => this.ask.revisions.all(userId, after, limit, idKeys(guildIds)).map(revisionOf));
  }

  async relationships(userId: string): Promise<readonly RelationshipRow[]> {
    return this.slices.step(() => relationshipsOf(revisedFields(this.ask.relationships.get(userId)?.fields ?? null)));
  }

  async notifications(userId: string): Promise<readonly NotificationsRow[]> {
    return this.slices.step(() => notificationsOf(revisedFields(this.ask.notifications.get(userId)?.fields ?? null)));
  }

  async relationsTo(userId: string, people: readonly string[]) {
    const { relations } = this.cache;
    const kept = keptRelations(relations, userId, people);
    if (kept !== undefined) return kept;
    const subjects = JSON.stringify(people.map(relationsSubject));
    return this.slices.step(() => {
      const found = relationTypesOf(this.ask.relationsTo.all(userId, subjects).map(relationRow));
      keepRelations(relations, userId, people, found);
      return found;
    });
  }

  async administrator(): Promise<string | undefined> {
    // The first person never changes, so the query runs only until there is one.
    this.firstPerson ??= this.ask.administrator.get()?.id;
    return this.firstPerson;
  }

  async leaving(): Promise<readonly Leaving[]> {
    return this.slices.step(() => leavingOf(this.ask.standings.all()));
  }

  async administrators(): Promise<readonly string[]> {
    const first = await this.administrator();
    this.cache.administrators ??= administratorsOf(first, namedOf(this.ask.named.all()));
    return this.cache.administrators;
  }
}
