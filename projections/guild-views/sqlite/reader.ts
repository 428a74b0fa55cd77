import { type Connection, idKey, idKeys, query } from '../../sqlite/statements.ts';
import type { ChannelRow, GuildReader, GuildRow, InviteRow, MemberRow, Membership, UserRow } from '../port.ts';
import { type GuildCache, memberKey } from './cache.ts';
import {
  CHANNEL,
  type ChannelColumns,
  channelOf,
  GUILD,
  type GuildColumns,
  guildOf,
  INVITE,
  type InviteColumns,
  inviteOf,
  MEMBER,
  type MemberColumns,
  memberOf,
  USER,
  type UserColumns,
  userOf,
} from './rows.ts';

const prepare = (db: Connection) => ({
  guild: query<GuildColumns>(db, `SELECT ${GUILD} FROM guilds g WHERE g.id = ?`),
  guildsOf: query<GuildColumns>(
    db,
    `SELECT ${GUILD} FROM memberships m JOIN guilds g ON g.id = m.guild_id
     WHERE m.user_id = ? AND m.left_at IS NULL ORDER BY m.joined_at`,
  ),
  channel: query<ChannelColumns>(db, `SELECT ${CHANNEL} FROM channels c WHERE c.id = ?`),
  channelsOf: query<ChannelColumns>(db, `SELECT ${CHANNEL} FROM channels c WHERE c.guild_id = ? ORDER BY c.place`),
  directChannelsOf: query<ChannelColumns>(
    db,
    `SELECT ${CHANNEL} FROM direct_channels d JOIN channels c ON c.id = d.channel_id
     WHERE d.user_id = ? ORDER BY c.created_at`,
  ),
  member: query<MemberColumns>(
    db,
    `SELECT ${MEMBER} FROM memberships WHERE guild_id = ? AND user_id = ? AND left_at IS NULL`,
  ),
  members: query<MemberColumns>(
    db,
    `SELECT ${MEMBER} FROM memberships WHERE guild_id = ? AND user_id > ? AND left_at IS NULL ORDER BY user_id LIMIT ?`,
  ),
  memberships: query<[guildId: string, joinedAt: number, leftAt: number | null]>(
    db,
    `SELECT CAST(guild_id AS TEXT), joined_at, left_at FROM memberships
     WHERE user_id = ? AND (left_at IS NULL OR left_at > ?) ORDER BY joined_at`,
  ),
  user: query<UserColumns>(db, `SELECT ${USER} FROM users WHERE id = ?`),
  users: query<UserColumns>(db, `SELECT ${USER} FROM users WHERE id IN (SELECT value FROM json_each(?))`),
  invite: query<InviteColumns>(db, `SELECT ${INVITE} FROM invites WHERE code = ?`),
  administrator: query<[string]>(
    db,
    `SELECT CAST(id AS TEXT) FROM users WHERE kind = 'person' ORDER BY registered_at LIMIT 1`,
  ),
});

export class SqliteGuildReader implements GuildReader {
  private readonly ask: ReturnType<typeof prepare>;
  private readonly cache: GuildCache;
  private firstPerson: string | undefined;

  constructor(db: Connection, cache: GuildCache) {
    this.ask = prepare(db);
    this.cache = cache;
  }

  async guild(id: string): Promise<GuildRow | undefined> {
    const known = this.cache.guilds.get(id);
    if (known !== undefined) return known;
    const found = this.ask.guild.get(idKey(id));
    if (found === undefined) return undefined;
    const row = guildOf(found);
    this.cache.guilds.set(id, row);
    return row;
  }

  async channel(id: string): Promise<ChannelRow | undefined> {
    const known = this.cache.channels.get(id);
    if (known !== undefined) return known;
    const found = this.ask.channel.get(idKey(id));
    if (found === undefined) return undefined;
    const row = channelOf(found);
    this.cache.channels.set(id, row);
    return row;
  }

  async channelsOf(guildId: string): Promise<readonly ChannelRow[]> {
    const known = this.cache.channelLists.get(guildId);
    if (known !== undefined) return known;
    const rows = this.ask.channelsOf.all(idKey(guildId)).map(channelOf);
    this.cache.channelLists.set(guildId, rows);
    return rows;
  }

  async member(guildId: string, userId: string): Promise<MemberRow | undefined> {
    const key = memberKey(guildId, userId);
    const known = this.cache.members.get(key);
    if (known !== undefined) return known;
    const found = this.ask.member.get(idKey(guildId), idKey(userId));
    if (found === undefined) return undefined;
    const row = memberOf(guildId, found);
    this.cache.members.set(key, row);
    return row;
  }

  async members(guildId: string, { after, limit }: { after?: string; limit: number }): Promise<readonly MemberRow[]> {
    return this.ask.members.all(idKey(guildId), after ?? -1, limit).map((columns) => memberOf(guildId, columns));
  }

  async guildsOf(userId: string): Promise<readonly GuildRow[]> {
    return this.ask.guildsOf.all(idKey(userId)).map(guildOf);
  }

  async memberships(userId: string, since: number): Promise<readonly Membership[]> {
    return this.ask.memberships
      .all(idKey(userId), since)
      .map(([guildId, joinedAt, leftAt]) => ({ guildId, joinedAt, leftAt }));
  }

  async directChannelsOf(userId: string): Promise<readonly ChannelRow[]> {
    return this.ask.directChannelsOf.all(idKey(userId)).map(channelOf);
  }

  async user(id: string): Promise<UserRow | undefined> {
    const known = this.cache.users.get(id);
    if (known !== undefined) return known;
    const found = this.ask.user.get(idKey(id));
    if (found === undefined) return undefined;
    const row = userOf(found);
    this.cache.users.set(id, row);
    return row;
  }

  async users(ids: readonly string[]): Promise<readonly UserRow[]> {
    const rows: UserRow[] = [];
    const missing: string[] = [];
    for (const id of new Set(ids)) {
      const known = this.cache.users.get(id);
      if (known === undefined) missing.push(id);
      else rows.push(known);
    }
    if (missing.length === 0) return rows;
    for (const columns of this.ask.users.all(idKeys(missing))) {
      const row = userOf(columns);
      this.cache.users.set(row.id, row);
      rows.push(row);
    }
    return rows;
  }

  async invite(code: string): Promise<InviteRow | undefined> {
    const found = this.ask.invite.get(code);
    return found && inviteOf(found);
  }

  async administrator(): Promise<string | undefined> {
    // The first stays the first, so the answer is asked for until there is one.
    this.firstPerson ??= this.ask.administrator.get()?.[0];
    return this.firstPerson;
  }
}
