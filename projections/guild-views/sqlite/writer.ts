import { type Connection, command } from '../../sqlite/statements.ts';
import type { GuildChange, GuildWriter } from '../port.ts';
import { type GuildCache, memberKey } from './cache.ts';

const prepare = (db: Connection) => ({
  guild: command(db, 'INSERT INTO guilds (id, name, owner_id, everyone) VALUES (?, ?, ?, ?)'),
  channel: command(
    db,
    `INSERT INTO channels (id, kind, guild_id, name, topic, overwrites, participants, created_at, place)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(place) + 1, 0) FROM channels WHERE guild_id = ?))`,
  ),
  direct: command(db, 'INSERT INTO direct_channels (user_id, channel_id) VALUES (?, ?)'),
  join: command(
    db,
    `INSERT INTO memberships (guild_id, user_id, joined_time, joined_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  ),
  leave: command(db, 'UPDATE memberships SET left_at = ? WHERE guild_id = ? AND user_id = ? AND left_at IS NULL'),
  count: command(db, 'UPDATE guilds SET member_count = member_count + ? WHERE id = ?'),
  user: command(
    db,
    `INSERT INTO users (id, kind, owner_id, sealed_by, box, sealed_in, registered_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ),
  invite: command(
    db,
    `INSERT INTO invites (code, guild_id, channel_id, inviter_id, max_uses, created_time, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ),
  redeemed: command(db, 'UPDATE invites SET uses = uses + 1 WHERE code = ? AND max_uses > 0'),
  joinedBy: command(db, 'UPDATE invites SET uses = uses + 1 WHERE code = ? AND max_uses = 0'),
});

export class SqliteGuildWriter implements GuildWriter {
  private readonly run: ReturnType<typeof prepare>;
  private readonly cache: GuildCache;

  constructor(db: Connection, cache: GuildCache) {
    this.run = prepare(db);
    this.cache = cache;
  }

  apply(changes: readonly GuildChange[]): void {
    for (const change of changes) this.one(change);
  }

  private one(change: GuildChange): void {
    switch (change.kind) {
      case 'guild-added': {
        const { id, name, ownerId, everyone } = change.guild;
        this.run.guild(id, name, ownerId, everyone);
        this.cache.guilds.delete(id);
        return;
      }
      case 'channel-added': {
        const c = change.channel;
        const lists = [JSON.stringify(c.overwrites), JSON.stringify(c.participants)] as const;
        this.run.channel(c.id, c.kind, c.guildId, c.name, c.topic, ...lists, c.createdAt, c.guildId);
        for (const userId of new Set(c.participants)) this.run.direct(userId, c.id);
        this.cache.channels.delete(c.id);
        if (c.guildId !== null) this.cache.channelLists.delete(c.guildId);
        return;
      }
      case 'member-joined': {
        const { guildId, userId, joinedTime, joinedAt } = change.member;
        this.counted(guildId, userId, this.run.join(guildId, userId, joinedTime, joinedAt));
        return;
      }
      case 'member-left':
        this.counted(change.guildId, change.userId, -this.run.leave(change.position, change.guildId, change.userId));
        return;
      case 'user-added': {
        const { id, kind, ownerId, sealed, sealedIn } = change.user;
        this.run.user(id, kind, ownerId, sealed.by, sealed.box, sealedIn, change.position);
        this.cache.users.delete(id);
        return;
      }
      case 'invite-added': {
        const i = change.invite;
        this.run.invite(i.code, i.guildId, i.channelId, i.inviterId, i.maxUses, i.createdTime, i.expiresAt);
        return;
      }
      case 'invite-used':
        if (change.capped) this.run.redeemed(change.code);
        else this.run.joinedBy(change.code);
        return;
    }
  }

  private counted(guildId: string, userId: string, more: number): void {
    this.run.count(more, guildId);
    this.cache.guilds.delete(guildId);
    this.cache.members.delete(memberKey(guildId, userId));
  }
}
