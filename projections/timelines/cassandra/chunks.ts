/**
 * Changes as requests: those of one partition together, in pieces that the store takes whole and at once. All changes of
 * one message are in one piece, in order, so that a row never holds a later event without the earlier ones.
 */
import type { Statement } from './connection.ts';
import type { RowChange, Statements } from './statements.ts';

/** 30 KB: more gains nothing, and the store keeps a whole piece in memory. */
const PIECE = 64;
const PACK = 10;

type Chunk = Statement[];

interface Partition {
  open: Chunk;
  readonly ofMessage: Map<string, Chunk>;
}

export const chunksOf = (changes: readonly RowChange[], statements: Statements): readonly (readonly Statement[])[] => {
  const chunks: Chunk[] = [];
  const partitions = new Map<string, Partition>();
  for (const change of changes) {
    const posted = change.kind === 'posted';
    const channelId = posted ? change.message.channelId : change.channelId;
    const messageId = posted ? change.message.id : change.messageId;
    const bucket = statements.bucketOf(change);
    const key = `${channelId}/${bucket}`;
    let partition = partitions.get(key);
    if (partition === undefined) {
      partition = { open: [], ofMessage: new Map() };
      partitions.set(key, partition);
      chunks.push(partition.open);
    }
    let chunk = partition.ofMessage.get(messageId);
    if (chunk === undefined) {
      if (partition.open.length >= PIECE) {
        partition.open = [];
        chunks.push(partition.open);
      }
      chunk = partition.open;
      partition.ofMessage.set(messageId, chunk);
    }
    for (const statement of statements.ofRow(change, bucket)) chunk.push(statement);
  }
  return chunks;
};

/**
 * Rows of channels (tiny, one or two for each) in requests of ten, which is as many partitions as the stores take at once
 * without a warning: one by one they would cost as much as the messages.
 */
export const packsOf = (rows: readonly Statement[]): readonly (readonly Statement[])[] => {
  const packs: (readonly Statement[])[] = [];
  for (let at = 0; at < rows.length; at += PACK) packs.push(rows.slice(at, at + PACK));
  return packs;
};
