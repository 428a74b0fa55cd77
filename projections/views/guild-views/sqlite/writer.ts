import { adding, type Connection, command } from '../../../../stores/sqlite/statements.ts';
import {
  addedChannel,
  addedDirectChannels,
  addedGuild,
  addedInvite,
  addedRevision,
  addedSignOut,
  addedThread,
  addedUser,
  addedUserRevision,
  begunSpan,
  begunStay,
  enteredDirectChannel,
} from '../queries.ts';
import { relationKey } from '../relations.ts';
import { idIn } from '../revised.ts';
import type { Revision } from '../revisions.ts';
import type { GuildTables } from '../tables.ts';
import type { GuildChange, GuildWriter } from '../view.ts';
import { type GuildCache, memberKey } from './reader.ts';

/** The tables of `GuildTables` in SQLite. Current memberships have their own index. */
export const guildTables = `
CREATE TABLE guilds (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  owner_id INTEGER NOT NULL,
  everyone TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE guild_counts (
  guild_id INTEGER PRIMARY KEY,
  members INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE channels (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  guild_id INTEGER,
  name TEXT NOT NULL,
  topic TEXT NOT NULL,
  overwrites TEXT NOT NULL,
  participants TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX channels_of_guild ON channels (guild_id, created_at) WHERE guild_id IS NOT NULL;
CREATE TABLE threads (
  id INTEGER PRIMARY KEY,
  guild_id INTEGER NOT NULL,
  parent_id INTEGER NOT NULL,
  is_private INTEGER NOT NULL,
  begun TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX threads_of_channel ON threads (parent_id, id);
CREATE TABLE thread_spans (
  thread_id INTEGER NOT NULL,
  guild_id INTEGER NOT NULL,
  began_at INTEGER NOT NULL,
  ended_at INTEGER,
  ended_time INTEGER,
  PRIMARY KEY (thread_id, began_at)
) WITHOUT ROWID;
CREATE INDEX active_threads ON thread_spans (guild_id, ended_at);
CREATE INDEX open_spans ON thread_spans (thread_id) WHERE ended_at IS NULL;
CREATE TABLE direct_channels (
  user_id INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, channel_id)
) WITHOUT ROWID;
CREATE TABLE memberships (
  user_id INTEGER NOT NULL,
  guild_id INTEGER NOT NULL,
  joined_at INTEGER NOT NULL,
  joined_time INTEGER NOT NULL,
  left_at INTEGER,
  PRIMARY KEY (user_id, guild_id, joined_at)
) WITHOUT ROWID;
CREATE UNIQUE INDEX members ON memberships (guild_id, user_id) WHERE left_at IS NULL;
CREATE TABLE revisions (
  guild_id INTEGER NOT NULL,
  subject TEXT NOT NULL,
  field TEXT NOT NULL,
  position INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (subject, field, position)
) WITHOUT ROWID;
CREATE INDEX revisions_of_guild ON revisions (guild_id, position);
CREATE INDEX public_guilds ON revisions (position) WHERE field = 'details' AND value LIKE '%"isPublic":true%';
CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  owner_id INTEGER,
  sealed_by INTEGER NOT NULL,
  box TEXT NOT NULL,
  sealed_in TEXT NOT NULL,
  registered_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX persons ON users (registered_at) WHERE kind = 'person';
CREATE INDEX users_of_owner ON users (owner_id) WHERE owner_id IS NOT NULL;
CREATE TABLE sign_outs (
  user_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  signed_out TEXT NOT NULL,
  PRIMARY KEY (user_id, position)
) WITHOUT ROWID;
CREATE TABLE user_revisions (
  user_id INTEGER NOT NULL,
  field TEXT NOT NULL,
  position INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (user_id, field, position)
) WITHOUT ROWID;
CREATE INDEX named ON user_revisions (position) WHERE field = 'administers';
CREATE INDEX standings ON user_revisions (position) WHERE field = 'standing';
CREATE TABLE invites (
  code TEXT PRIMARY KEY,
  guild_id INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  inviter_id INTEGER NOT NULL,
  max_uses INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_time INTEGER NOT NULL,
  expires_at INTEGER,
  deleted_at INTEGER
) WITHOUT ROWID;
CREATE INDEX invites_of_inviter ON invites (guild_id, inviter_id);
CREATE TABLE redemptions (
  code TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (code, position)
) WITHOUT ROWID;
CREATE TABLE invite_counts (
  code TEXT PRIMARY KEY,
  joined INTEGER NOT NULL
) WITHOUT ROWID;
`;

const prepare = (db: Connection) => ({
  guild: adding<GuildTables['guilds']>(db, 'guilds'),
  channel: adding<GuildTables['channels']>(db, 'channels'),
  thread: adding<GuildTables['threads']>(db, 'threads'),
  begin: adding<GuildTables['thread_spans']>(db, 'thread_spans'),
  end: command(db, 'UPDATE thread_spans SET ended_at = ?, ended_time = ? WHERE thread_id = ? AND ended_at IS NULL'),
  direct: adding<GuildTables['direct_channels']>(db, 'direct_channels', 'ON CONFLICT DO NOTHING'),
  join: adding<GuildTables['memberships']>(db, 'memberships', 'ON CONFLICT DO NOTHING'),
  leave: command(db, 'UPDATE memberships SET left_at = ? WHERE guild_id = ? AND user_id = ? AND left_at IS NULL'),
  count: command(
    db,
    `INSERT INTO guild_counts (guild_id, members) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET members = members + excluded.members`,
  ),
  revision: adding<GuildTables['revisions']>(db, 'revisions', 'ON CONFLICT DO NOTHING'),
  user: adding<GuildTables['users']>(db, 'users'),
  signOut: adding<GuildTables['sign_outs']>(db, 'sign_outs'),
  userRevision: adding<GuildTables['user_revisions']>(db, 'user_revisions'),
  invite: adding<GuildTables['invites']>(db, 'invites'),
  uninvite: command(db, 'UPDATE invites SET deleted_at = ? WHERE code = ? AND deleted_at IS NULL'),
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
      case 'recipient-added':
        this.run.direct(enteredDirectChannel(change));
        return;
      case 'thread-added': {
        const { id, guildId } = change.thread;
        this.run.thread(addedThread(change));
        this.run.begin(begunSpan(id, guildId!, change.position));
        this.cache.channels.delete(id);
        return;
      }
      case 'thread-active':
        this.run.begin(begunSpan(change.threadId, change.guildId, change.position));
        return;
      case 'thread-archived':
        this.run.end(change.position, change.time, change.threadId);
        return;
      case 'member-joined': {
        const { guildId, userId } = change.member;
        this.counted(guildId, userId, this.run.join(begunStay(change)));
        return;
      }
      case 'member-left':
        this.counted(change.guildId, change.userId, -this.run.leave(change.position, change.guildId, change.userId));
        return;
      case 'revised':
        this.run.revision(addedRevision(change));
        this.evict(change);
        return;
      case 'user-added':
        this.run.user(addedUser(change));
        this.cache.users.delete(change.user.id);
        this.cache.administrators = undefined;
        return;
      case 'user-signed-out':
        this.run.signOut(addedSignOut(change));
        this.cache.users.delete(change.userId);
        return;
      case 'user-revised':
        this.run.userRevision(addedUserRevision(change));
        this.cache.users.delete(change.userId);
        if (change.field === 'administers') this.cache.administrators = undefined;
        return;
      case 'invite-added':
        this.run.invite(addedInvite(change));
        return;
      case 'invite-removed':
        this.run.uninvite(change.position, change.code);
        return;
      case 'invite-used':
        if (change.capped) this.run.redeemed(change);
        else this.run.joinedBy(change.code);
        return;
    }
  }

  private evict({ subject, field, guildId }: Pick<Revision, 'subject' | 'field' | 'guildId'>): void {
    const [kind, id] = subject.split(':') as [string, string];
    if (kind === 'guild') this.cache.guilds.delete(id);
    if (kind === 'member') this.cache.members.delete(id);
    if (kind === 'relations') this.cache.relations.delete(relationKey(id, idIn(field)));
    if (kind === 'thread') this.cache.channels.delete(id);
    if (kind === 'channel') {
      this.cache.channels.delete(id);
      this.cache.channelLists.delete(guildId);
    }
  }

  private counted(guildId: string, userId: string, more: number): void {
    this.run.count(guildId, more);
    this.cache.guilds.delete(guildId);
    this.cache.members.delete(memberKey(guildId, userId));
  }
}
