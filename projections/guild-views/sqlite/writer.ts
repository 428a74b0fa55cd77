import { adding, type Connection, command } from '../../sqlite/statements.ts';
import type { GuildChange, GuildWriter } from '../port.ts';
import { addedChannel, addedDirectChannels, addedGuild, addedInvite, addedUser, begunStay } from '../rows.ts';
import type { GuildTables } from '../tables.ts';
import { type GuildCache, memberKey } from './cache.ts';

const prepare = (db: Connection) => ({
  guild: adding<GuildTables['guilds']>(db, 'guilds'),
  channel: adding<GuildTables['channels']>(db, 'channels'),
  direct: adding<GuildTables['direct_channels']>(db, 'direct_channels'),
  join: adding<GuildTables['memberships']>(db, 'memberships', 'ON CONFLICT DO NOTHING'),
  leave: command(db, 'UPDATE memberships SET left_at = ? WHERE guild_id = ? AND user_id = ? AND left_at IS NULL'),
  count: command(
    db,
    `INSERT INTO guild_counts (guild_id, members) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET members = members + excluded.members`,
  ),
  user: adding<GuildTables['users']>(db, 'users'),
  invite: adding<GuildTables['invites']>(db, 'invites'),
  redeemed: adding<GuildTables['redemptions']>(db, 'redemptions'),
  joinedBy: command(
    db,
    'INSERT INTO invite_counts (code, joined) VALUES (?, 1) ON CONFLICT DO UPDATE SET joined = joined + 1',
  ),
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
      case 'guild-added':
        this.run.guild(addedGuild(change));
        this.cache.guilds.delete(change.guild.id);
        return;
      case 'channel-added': {
        const { id, guildId } = change.channel;
        this.run.channel(addedChannel(change));
        for (const direct of addedDirectChannels(change)) this.run.direct(direct);
        this.cache.channels.delete(id);
        if (guildId !== null) this.cache.channelLists.delete(guildId);
        return;
      }
      case 'member-joined': {
        const { guildId, userId } = change.member;
        this.counted(guildId, userId, this.run.join(begunStay(change)));
        return;
      }
      case 'member-left':
        this.counted(change.guildId, change.userId, -this.run.leave(change.position, change.guildId, change.userId));
        return;
      case 'user-added':
        this.run.user(addedUser(change));
        this.cache.users.delete(change.user.id);
        return;
      case 'invite-added':
        this.run.invite(addedInvite(change));
        return;
      case 'invite-used':
        if (change.capped) this.run.redeemed(change);
        else this.run.joinedBy(change.code);
        return;
    }
  }

  private counted(guildId: string, userId: string, more: number): void {
    this.run.count(guildId, more);
    this.cache.guilds.delete(guildId);
    this.cache.members.delete(memberKey(guildId, userId));
  }
}
