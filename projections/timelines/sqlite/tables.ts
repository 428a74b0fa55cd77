/** Tables of the timelines. Messages are clustered by channel and id, so a page of history is one range. */
export const timelineTables = `
CREATE TABLE messages (
  channel_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  position INTEGER NOT NULL,
  author INTEGER NOT NULL,
  time INTEGER NOT NULL,
  edited_time INTEGER,
  reply_to INTEGER,
  mentions TEXT,
  flags INTEGER NOT NULL,
  nonce TEXT,
  sealed_by INTEGER,
  box TEXT,
  sealed_in TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (channel_id, id)
) WITHOUT ROWID;
CREATE INDEX deleted_messages ON messages (channel_id, id) WHERE deleted = 1;
CREATE TABLE reactions (
  channel_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  emoji TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (channel_id, message_id, emoji, user_id)
) WITHOUT ROWID;
CREATE TABLE reaction_counts (
  channel_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  emoji TEXT NOT NULL,
  count INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (channel_id, message_id, emoji)
) WITHOUT ROWID;
CREATE TABLE timelines (
  channel_id INTEGER PRIMARY KEY,
  through INTEGER NOT NULL
) WITHOUT ROWID;
`;
