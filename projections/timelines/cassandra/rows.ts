/** A message's row as the store answers it, and as a page shows it. */
import type { Mentions } from '../../../schemas/events/index.ts';
import type { MessageRow } from '../port.ts';
import { countsOf } from './reactions.ts';

/** What a half row (an edit that came before its post) lacks. */
interface Posted {
  readonly ordinal: bigint;
  readonly sequence: bigint;
  readonly position: bigint;
  readonly author: bigint;
  readonly time: bigint;
}

export interface Row extends Posted {
  readonly id: bigint;
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
  /** Sequence of the last event after the posting that is in the row. */
  readonly changed: bigint | null;
}

export type StoredRow = Omit<Row, keyof Posted> & { readonly [K in keyof Posted]: Posted[K] | null };

export const COLUMNS = `id, ordinal, sequence, position, author, time, reply_to, flags, nonce, edited_time, mentions,
  sealed_by, box, sealed_in, deleted, reactions, changed`;

/** The author is written by the post only. */
export const isWhole = (row: StoredRow): row is Row => row.author !== null;

const NO_MENTIONS: Mentions = { users: [], everyone: false };
const NO_REACTIONS: ReadonlyMap<string, bigint> = new Map();

export const reactionsIn = (row: StoredRow): ReadonlyMap<string, bigint> =>
  row.deleted === true ? NO_REACTIONS : (row.reactions ?? NO_REACTIONS);

export const messageOf = (channelId: string, row: Row, viewer: string): MessageRow => {
  const deleted = row.deleted === true;
  return {
    channelId,
    id: String(row.id),
    ordinal: Number(row.ordinal),
    sequence: Number(row.sequence),
    position: Number(row.position),
    author: String(row.author),
    time: Number(row.time),
    editedTime: row.edited_time === null ? null : Number(row.edited_time),
    replyTo: row.reply_to === null ? null : String(row.reply_to),
    mentions: row.mentions === null || row.mentions === '' ? NO_MENTIONS : (JSON.parse(row.mentions) as Mentions),
    flags: row.flags ?? 0,
    nonce: row.nonce === null ? null : (JSON.parse(row.nonce) as string | number),
    sealed: deleted || row.sealed_by === null || row.box === null ? null : { by: String(row.sealed_by), box: row.box },
    sealedIn: row.sealed_in,
    deleted,
    reactions: countsOf(reactionsIn(row), viewer),
  };
};
