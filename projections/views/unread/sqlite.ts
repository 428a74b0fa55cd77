import { lru } from '../../../schemas/lru.ts';
import type { TimeSlices } from '../../../schemas/time-slices.ts';
import { type Connection, command, IDS_PER_STEP, idKey, idKeys, query } from '../../../stores/sqlite/statements.ts';
import {
  type ChannelHead,
  type CountedChannel,
  keptTargets,
  type ReadState,
  type UnreadChange,
  type UnreadRows,
  type UnreadWriter,
} from './view.ts';

export const unreadTables = `
CREATE TABLE heads (
  channel_id INTEGER PRIMARY KEY,
  ordinal INTEGER NOT NULL,
  message_id INTEGER,
  sequence INTEGER NOT NULL,
  position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE markers (
  user_id INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  -- The head's ordinal when the channel was last marked as unread.
  back INTEGER NOT NULL,
  PRIMARY KEY (user_id, channel_id)
) WITHOUT ROWID;
CREATE TABLE mentions (
  channel_id INTEGER NOT NULL,
  target INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  PRIMARY KEY (channel_id, target, ordinal)
) WITHOUT ROWID;
CREATE INDEX mentions_of_message ON mentions (channel_id, ordinal);
`;

const HEADS = 10_000;

type HeadColumns = readonly [
  channelId: string,
  ordinal: number,
  messageId: string | null,
  sequence: number,
  position: number,
];
const HEAD = 'CAST(channel_id AS TEXT), ordinal, CAST(message_id AS TEXT), sequence, position';

const prepare = (db: Connection) => ({
  moveHead: command(
    db,
    `INSERT INTO heads (channel_id, ordinal, message_id, sequence, position) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET ordinal = max(ordinal, excluded.ordinal), sequence = excluded.sequence,
       message_id = coalesce(excluded.message_id, message_id), position = excluded.position`,
  ),
  mark: command(
    db,
    `INSERT INTO markers (user_id, channel_id, ordinal, back)
     VALUES (?1, ?2, min(?3, coalesce((SELECT ordinal FROM heads WHERE channel_id = ?2), 0)), 0)
     ON CONFLICT DO UPDATE SET ordinal = max(ordinal, excluded.ordinal)`,
  ),
  markOwn: command(
    db,
    `INSERT INTO markers (user_id, channel_id, ordinal, back) VALUES (?1, ?2, ?3, 0)
     ON CONFLICT DO UPDATE SET ordinal = max(ordinal, excluded.ordinal) WHERE excluded.ordinal > back`,
  ),
  // Every thousandth event says again what was marked before: what was said beyond it since then stays read.
  markBack: command(
    db,
    `INSERT INTO markers (user_id, channel_id, ordinal, back)
     VALUES (?1, ?2, min(?3, coalesce((SELECT ordinal FROM heads WHERE channel_id = ?2), 0)), ?4)
     ON CONFLICT DO UPDATE SET back = max(back, excluded.back), ordinal =
       CASE WHEN excluded.back > back OR ordinal <= back THEN excluded.ordinal ELSE max(ordinal, excluded.ordinal) END`,
  ),
  unmention: command(db, 'DELETE FROM mentions WHERE channel_id = ? AND ordinal = ?'),
  mention: command(db, 'INSERT INTO mentions (channel_id, ordinal, target) VALUES (?, ?, ?)'),
  targets: query<[string]>(
    db,
    'SELECT CAST(target AS TEXT) FROM mentions WHERE channel_id = ? AND ordinal = ? ORDER BY target',
  ),
  head: query<HeadColumns>(db, `SELECT ${HEAD} FROM heads WHERE channel_id = ?`),
  heads: query<HeadColumns>(db, `SELECT ${HEAD} FROM heads WHERE channel_id IN (SELECT value FROM json_each(?))`),
  markers: query<[channelId: string, ordinal: number]>(
    db,
    `SELECT CAST(channel_id AS TEXT), ordinal FROM markers
     WHERE user_id = ? AND channel_id IN (SELECT value FROM json_each(?))`,
  ),
  // One list of targets: with an `OR`, SQLite reads the mentions of everybody beyond the marker.
  mentionsBeyond: query<[number]>(
    db,
    `SELECT count(DISTINCT ordinal) FROM mentions
     WHERE channel_id = ? AND target IN (SELECT value FROM json_each(?)) AND ordinal > ?`,
  ),
});

export class SqliteUnread implements UnreadRows, UnreadWriter {
  private readonly run: ReturnType<typeof prepare>;
  private readonly cache = lru<string, ChannelHead>(HEADS);
  private readonly slices: TimeSlices;

  /** @param slices shared by all readers of the file */
  constructor(db: Connection, slices: TimeSlices) {
    this.run = prepare(db);
    this.slices = slices;
  }

  apply(changes: readonly UnreadChange[]): void {
    for (const change of changes) {
      switch (change.kind) {
        case 'head': {
          const { channelId, posted, sequence, position } = change;
          this.run.moveHead(channelId, posted?.ordinal ?? 0, posted?.messageId ?? null, sequence, position);
          this.cache.delete(channelId);
          break;
        }
        case 'read':
          this.read(change);
          break;
        case 'mentions':
          this.mention(change);
          break;
      }
    }
  }

  private read({ userId, channelId, ordinal, own, back }: Extract<UnreadChange, { kind: 'read' }>): void {
    if (own) this.run.markOwn(userId, channelId, ordinal);
    else if (back === undefined) this.run.mark(userId, channelId, ordinal);
    else this.run.markBack(userId, channelId, ordinal, back);
  }

  private mention({ channelId, ordinal, targets, fresh }: Extract<UnreadChange, { kind: 'mentions' }>): void {
    let kept = targets;
    if (!fresh) {
      const former = this.run.targets.all(channelId, ordinal).map(([target]) => target);
      if (former.length === 0) return;
      kept = keptTargets(former, targets);
      this.run.unmention(channelId, ordinal);
    }
    for (const target of kept) this.run.mention(channelId, ordinal, target);
  }

  async head(channelId: string): Promise<ChannelHead> {
    return this.headNow(channelId);
  }

  private headNow(channelId: string): ChannelHead {
    const known = this.cache.get(channelId);
    if (known !== undefined) return known;
    const found = this.run.head.get(idKey(channelId));
    if (found === undefined) return { channelId, ordinal: 0, messageId: null, sequence: 0, position: 0 };
    return this.remember(found);
  }

  private remember([channelId, ordinal, messageId, sequence, position]: HeadColumns): ChannelHead {
    const head = { channelId, ordinal, messageId, sequence, position };
    this.cache.set(channelId, head);
    return head;
  }

  async heads(channelIds: readonly string[]): Promise<ReadonlyMap<string, ChannelHead>> {
    return new Map(await this.slices.pieces(channelIds, IDS_PER_STEP, (some) => this.headsNow(some)));
  }

  private headsNow(channelIds: readonly string[]): ReadonlyMap<string, ChannelHead> {
    const missing = channelIds.filter((channelId) => !this.cache.has(channelId));
    if (missing.length > 1) for (const columns of this.run.heads.all(idKeys(missing))) this.remember(columns);
    return new Map(channelIds.map((channelId) => [channelId, this.headNow(channelId)]));
  }

  private markers(userId: string, channelIds: readonly string[]): ReadonlyMap<string, number> {
    return new Map(this.run.markers.all(idKey(userId), idKeys(channelIds)));
  }

  async unmarked(userId: string, channelIds: readonly string[]): Promise<readonly string[]> {
    return this.slices.pieces(channelIds, IDS_PER_STEP, (some) => {
      const markers = this.markers(userId, some);
      return some.filter((channelId) => !markers.has(channelId));
    });
  }

  async states(userId: string, channels: readonly CountedChannel[]): Promise<readonly ReadState[]> {
    return this.slices.pieces(channels, IDS_PER_STEP, (some) => this.statesNow(userId, some));
  }

  private statesNow(userId: string, channels: readonly CountedChannel[]): readonly ReadState[] {
    const ids = channels.map(({ channelId }) => channelId);
    const heads = this.headsNow(ids);
    const markers = this.markers(userId, ids);
    const mentions = (channelId: string, roles: readonly string[], beyond: number): number =>
      this.run.mentionsBeyond.get(idKey(channelId), idKeys(['everyone', userId, ...roles]), beyond)![0];
    return channels.map(({ channelId, floor, roles = [] }) => {
      const { ordinal, messageId } = heads.get(channelId)!;
      const readOrdinal = markers.get(channelId) ?? Math.min(floor, ordinal);
      const unread = ordinal - readOrdinal;
      const mentioned = unread === 0 ? 0 : mentions(channelId, roles, readOrdinal);
      return { channelId, readOrdinal, unread, mentions: mentioned, lastMessageId: messageId };
    });
  }
}
