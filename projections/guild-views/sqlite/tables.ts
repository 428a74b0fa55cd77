/** What `GuildTables` says, in SQLite's words. Stays that are going on have an index of their own. */
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
CREATE TABLE invites (
  code TEXT PRIMARY KEY,
  guild_id INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  inviter_id INTEGER NOT NULL,
  max_uses INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_time INTEGER NOT NULL,
  expires_at INTEGER
) WITHOUT ROWID;
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
