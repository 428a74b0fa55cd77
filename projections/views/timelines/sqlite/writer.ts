import { type Mentions, mentionsNobody } from '../../../../schemas/events/channel.ts';
import { type Connection, command, insertingRows, type Value } from '../../../../stores/sqlite/statements.ts';
import type { MessageRow, TimelineChange, TimelineWriter } from '../view.ts';

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
  type INTEGER NOT NULL,
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

type Reaction = Extract<TimelineChange, { kind: 'reacted' | 'unreacted' }>;

type OfMessage = { readonly channelId: string; readonly messageId: string };

const mentionsColumn = (mentions: Mentions): string | null =>
  mentionsNobody(mentions) ? null : JSON.stringify(mentions);

/** In the order of the columns of `post`. */
const pushMessage = (values: Value[], m: MessageRow): void => {
  values.push(
    m.channelId,
    m.id,
    m.ordinal,
    m.sequence,
    m.position,
    m.author,
    m.time,
    m.type,
    m.replyTo,
    mentionsColumn(m.mentions),
    m.flags,
    m.nonce === null ? null : JSON.stringify(m.nonce),
    m.sealed?.by ?? null,
    m.sealed?.box ?? null,
    m.sealedIn,
  );
};

const prepare = (db: Connection) => ({
  post: insertingRows(db, 'messages', [
    ...['channel_id', 'id', 'ordinal', 'sequence', 'position', 'author', 'time', 'type', 'reply_to', 'mentions'],
    ...['flags', 'nonce', 'sealed_by', 'box', 'sealed_in'],
  ]),
  edit: command(
    db,
    `UPDATE messages SET edited_time = ?, mentions = ?, flags = coalesce(?, flags), sealed_by = ?, box = ?, sealed_in = ?
     WHERE channel_id = ? AND id = ? AND deleted = 0`,
  ),
  flag: command(db, 'UPDATE messages SET flags = ? WHERE channel_id = ? AND id = ?'),
  erase: command(db, 'UPDATE messages SET deleted = 1, sealed_by = NULL, box = NULL WHERE channel_id = ? AND id = ?'),
  eraseReactions: command(db, 'DELETE FROM reactions WHERE channel_id = ? AND message_id = ?'),
  eraseCounts: command(db, 'DELETE FROM reaction_counts WHERE channel_id = ? AND message_id = ?'),
  react: command(
    db,
    `INSERT INTO reactions (channel_id, message_id, emoji, user_id, sequence) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  ),
  countUp: command(
    db,
    `INSERT INTO reaction_counts (channel_id, message_id, emoji, count, since) VALUES (?, ?, ?, 1, ?)
     ON CONFLICT DO UPDATE SET count = count + 1`,
  ),
  unreact: command(db, 'DELETE FROM reactions WHERE channel_id = ? AND message_id = ? AND emoji = ? AND user_id = ?'),
  countDown: command(
    db,
    'UPDATE reaction_counts SET count = count - 1 WHERE channel_id = ? AND message_id = ? AND emoji = ?',
  ),
  dropCount: command(
    db,
    'DELETE FROM reaction_counts WHERE channel_id = ? AND message_id = ? AND emoji = ? AND count = 0',
  ),
  clear: command(db, 'DELETE FROM reactions WHERE channel_id = ? AND message_id = ? AND emoji = ?'),
  clearCount: command(db, 'DELETE FROM reaction_counts WHERE channel_id = ? AND message_id = ? AND emoji = ?'),
  through: command(
    db,
    `INSERT INTO timelines (channel_id, through) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET through = excluded.through`,
  ),
});

export class SqliteTimelineWriter implements TimelineWriter {
  private readonly run: ReturnType<typeof prepare>;

  constructor(db: Connection) {
    this.run = prepare(db);
  }

  apply(changes: readonly TimelineChange[]): void {
    // New messages are most of all changes, and follow one another.
    let posted: Value[] = [];
    const store = (): void => {
      this.run.post(posted);
      posted = [];
    };
    for (const change of changes) {
      if (change.kind === 'posted') pushMessage(posted, change.message);
      else {
        if (posted.length > 0) store();
        this.one(change);
      }
    }
    store();
  }

  private one(change: Exclude<TimelineChange, { kind: 'posted' }>): void {
    switch (change.kind) {
      case 'edited':
        this.run.edit(
          change.time,
          mentionsColumn(change.mentions),
          change.flags,
          change.sealed.by,
          change.sealed.box,
          change.sealedIn,
          change.channelId,
          change.messageId,
        );
        return;
      case 'deleted':
        this.run.erase(change.channelId, change.messageId);
        this.clearAll(change);
        return;
      case 'reacted':
        this.react(change);
        return;
      case 'unreacted':
        this.unreact(change);
        return;
      case 'flagged':
        this.run.flag(change.flags, change.channelId, change.messageId);
        return;
      case 'cleared':
        if (change.emoji === null) this.clearAll(change);
        else this.clear(change, change.emoji);
        return;
      case 'through':
        this.run.through(change.channelId, change.sequence);
        return;
    }
  }

  private clearAll({ channelId, messageId }: OfMessage): void {
    this.run.eraseReactions(channelId, messageId);
    this.run.eraseCounts(channelId, messageId);
  }

  private clear({ channelId, messageId }: OfMessage, emoji: string): void {
    this.run.clear(channelId, messageId, emoji);
    this.run.clearCount(channelId, messageId, emoji);
  }

  private react({ channelId, messageId, emoji, userId, sequence }: Reaction): void {
    if (this.run.react(channelId, messageId, emoji, userId, sequence) === 1)
      this.run.countUp(channelId, messageId, emoji, sequence);
  }

  private unreact({ channelId, messageId, emoji, userId }: Reaction): void {
    if (this.run.unreact(channelId, messageId, emoji, userId) === 0) return;
    this.run.countDown(channelId, messageId, emoji);
    this.run.dropCount(channelId, messageId, emoji);
  }
}
