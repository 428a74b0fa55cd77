/** A message's row as stored, and as a page shows it. */
import { formerMessageType, type Mentions, NO_MENTIONS } from '../../../../schemas/events/channel.ts';
import type { MessageRow, ReactionCount } from '../view.ts';

// Reactions are a map in the message's row, from user and emoji to the sequence of the reaction. Each entry has its own
// timestamp, so entries converge one by one, and a page needs no further partition. A second map holds, by emoji, the
// sequence of the event that took all of that emoji back: no statement can name the entries of one emoji.

/** An emoji may contain anything, a user's id no space. */
export const reactionKey = (userId: string, emoji: string): string => `${userId} ${emoji}`;

const emojiOf = (key: string): string => key.slice(key.indexOf(' ') + 1);

interface Reaction {
  readonly userId: string;
  readonly emoji: string;
  readonly sequence: bigint;
}

/** Oldest first. */
const inOrder = (reactions: ReadonlyMap<string, bigint>): readonly Reaction[] => {
  const found: Reaction[] = [];
  for (const [key, sequence] of reactions) {
    const space = key.indexOf(' ');
    found.push({ userId: key.slice(0, space), emoji: emojiOf(key), sequence });
  }
  return found.sort((a, b) => (a.sequence < b.sequence ? -1 : 1));
};

/** In order of the oldest reaction that still exists. */
const countsOf = (reactions: ReadonlyMap<string, bigint>, viewer: string): readonly ReactionCount[] => {
  const counts = new Map<string, { emoji: string; count: number; me: boolean }>();
  for (const { emoji, userId } of inOrder(reactions)) {
    let entry = counts.get(emoji);
    if (entry === undefined) {
      entry = { emoji, count: 0, me: false };
      counts.set(emoji, entry);
    }
    entry.count += 1;
    if (userId === viewer) entry.me = true;
  }
  return [...counts.values()];
};

export const reactorsOf = (
  reactions: ReadonlyMap<string, bigint>,
  emoji: string,
  { after, limit }: { after?: string; limit: number },
): readonly string[] => {
  const beyond = after === undefined ? -1n : BigInt(after);
  return inOrder(reactions)
    .filter((one) => one.emoji === emoji)
    .map((one) => BigInt(one.userId))
    .filter((userId) => userId > beyond)
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, limit)
    .map(String);
};

/** The columns that an incomplete row (an edit that arrived before its post) lacks. */
interface Posted {
  readonly ordinal: bigint;
  readonly sequence: bigint;
  readonly position: bigint;
  readonly author: bigint;
  readonly time: bigint;
}

export interface Row extends Posted {
  readonly id: bigint;
  /** Null in rows written by a version that did not record it. */
  readonly type: number | null;
  readonly reply_to: bigint | null;
  readonly flags: number | null;
  readonly nonce: string | null;
  readonly edited_time: bigint | null;
  readonly mentions: string | null;
  readonly sealed_by: bigint | null;
  readonly box: string | null;
  readonly sealed_in: string;
  readonly deleted: boolean | null;
  readonly reactions: ReadonlyMap<string, bigint> | null;
  /** By emoji, the sequence of the event that last took all of that emoji back. */
  readonly cleared: ReadonlyMap<string, bigint> | null;
  /** Sequence of the last event after the post that is in the row. */
  readonly changed: bigint | null;
}

export type StoredRow = Omit<Row, keyof Posted> & { readonly [K in keyof Posted]: Posted[K] | null };

export const COLUMNS = `id, ordinal, sequence, position, author, time, type, reply_to, flags, nonce, edited_time, mentions,
  sealed_by, box, sealed_in, deleted, reactions, cleared, changed`;

/** Only the post writes the author. */
export const isWhole = (row: StoredRow): row is Row => row.author !== null;

const NO_REACTIONS: ReadonlyMap<string, bigint> = new Map();

export const reactionsIn = ({ deleted, reactions, cleared }: StoredRow): ReadonlyMap<string, bigint> => {
  if (deleted === true || reactions === null) return NO_REACTIONS;
  if (cleared === null) return reactions;
  return new Map([...reactions].filter(([key, sequence]) => sequence > (cleared.get(emojiOf(key)) ?? 0n)));
};

/** Rows of an earlier version lack it. */
export const typeOf = (row: Pick<Row, 'type' | 'reply_to'>): number =>
  row.type ?? formerMessageType(row.reply_to === null ? null : String(row.reply_to));

export const messageOf = (channelId: string, row: Row, viewer: string): MessageRow => {
  const deleted = row.deleted === true;
  const replyTo = row.reply_to === null ? null : String(row.reply_to);
  return {
    channelId,
    id: String(row.id),
    ordinal: Number(row.ordinal),
    sequence: Number(row.sequence),
    position: Number(row.position),
    author: String(row.author),
    time: Number(row.time),
    editedTime: row.edited_time === null ? null : Number(row.edited_time),
    type: typeOf(row),
    replyTo,
    mentions: row.mentions === null || row.mentions === '' ? NO_MENTIONS : (JSON.parse(row.mentions) as Mentions),
    flags: row.flags ?? 0,
    nonce: row.nonce === null ? null : (JSON.parse(row.nonce) as string | number),
    sealed: deleted || row.sealed_by === null || row.box === null ? null : { by: String(row.sealed_by), box: row.box },
    sealedIn: row.sealed_in,
    deleted,
    reactions: countsOf(reactionsIn(row), viewer),
  };
};
