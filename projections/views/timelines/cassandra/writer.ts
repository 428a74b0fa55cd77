/** Turns a change into statements. Each has the event's sequence as its timestamp; none writes a null. */

import { types } from 'cassandra-driver';
import { bulkhead } from 'cockatiel';
import { type Mentions, mentionsNobody } from '../../../../schemas/events/channel.ts';
import { Batcher, oneAnswer } from '../../../../stores/batcher.ts';
import { BUDGETS } from '../../../../stores/budgets.ts';
import type { Cassandra, Statement } from '../../../../stores/cassandra/connection.ts';
import { classify } from '../../../../stores/cassandra/failures.ts';
import type { TimelineChange, TimelineWriter } from '../view.ts';
import { reactionKey } from './rows.ts';
import { bucketOf, type Tables } from './tables.ts';

export type RowChange = Exclude<TimelineChange, { kind: 'through' }>;
type Changed = Exclude<RowChange, { kind: 'posted' }>;

/** `''` writes "no mentions" over those of an earlier sequence. */
const mentionsColumn = (mentions: Mentions): string => (mentionsNobody(mentions) ? '' : JSON.stringify(mentions));

const isFirst = (ordinal: number, size: number): boolean => (ordinal - 1) % size === 0;

/** Leaves the column as it is, where a null would be a deletion. */
const { unset } = types;

export class Statements {
  private readonly bucketSize: number;
  private readonly post: string;
  private readonly edit: string;
  private readonly erase: string;
  private readonly mark: string;
  private readonly react: string;
  private readonly unreact: string;
  private readonly flag: string;
  private readonly clear: string;
  private readonly clearAll: string;
  private readonly touch: string;
  private readonly first: string;
  private readonly reached: string;

  constructor({ messages, channels }: Tables, bucketSize: number) {
    this.bucketSize = bucketSize;
    const key = 'WHERE channel_id = ? AND bucket = ? AND id = ?';
    this.post = `INSERT INTO ${messages} (channel_id, bucket, id, ordinal, sequence, position, author, time, type,
      reply_to, mentions, flags, nonce, sealed_by, box, sealed_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      USING TIMESTAMP ?`;
    this.edit = `UPDATE ${messages} USING TIMESTAMP ? SET edited_time = ?, mentions = ?, flags = ?, sealed_by = ?,
      box = ?, sealed_in = ?, changed = ? ${key}`;
    this.erase = `DELETE sealed_by, box, reactions, cleared FROM ${messages} USING TIMESTAMP ? ${key}`;
    this.mark = `UPDATE ${messages} USING TIMESTAMP ? SET deleted = true, changed = ? ${key}`;
    this.react = `UPDATE ${messages} USING TIMESTAMP ? SET reactions[?] = ?, changed = ? ${key}`;
    this.unreact = `UPDATE ${messages} USING TIMESTAMP ? SET reactions = reactions - ?, changed = ? ${key}`;
    this.flag = `UPDATE ${messages} USING TIMESTAMP ? SET flags = ?, changed = ? ${key}`;
    this.clear = `UPDATE ${messages} USING TIMESTAMP ? SET cleared[?] = ?, changed = ? ${key}`;
    this.clearAll = `DELETE reactions, cleared FROM ${messages} USING TIMESTAMP ? ${key}`;
    this.touch = `UPDATE ${messages} USING TIMESTAMP ? SET changed = ? ${key}`;
    this.first = `INSERT INTO ${channels} (channel_id, first_id, bucket) VALUES (?, ?, ?) USING TIMESTAMP ?`;
    this.reached = `UPDATE ${channels} USING TIMESTAMP ? SET through = ? WHERE channel_id = ?`;
  }

  /** The partition of the message. */
  bucketOf(change: RowChange): number {
    return bucketOf(change.kind === 'posted' ? change.message.ordinal : change.ordinal, this.bucketSize);
  }

  /** The statements on the message's row. */
  ofRow(change: RowChange, bucket: number): readonly Statement[] {
    return change.kind === 'posted' ? [this.posted(change, bucket)] : this.changed(change, bucket);
  }

  private posted({ message: m }: Extract<RowChange, { kind: 'posted' }>, bucket: number): Statement {
    const mentions = mentionsColumn(m.mentions);
    return {
      query: this.post,
      params: [
        BigInt(m.channelId),
        bucket,
        BigInt(m.id),
        BigInt(m.ordinal),
        BigInt(m.sequence),
        BigInt(m.position),
        BigInt(m.author),
        BigInt(m.time),
        m.type,
        m.replyTo === null ? unset : BigInt(m.replyTo),
        mentions === '' ? unset : mentions,
        m.flags === 0 ? unset : m.flags,
        m.nonce === null ? unset : JSON.stringify(m.nonce),
        m.sealed === null ? unset : BigInt(m.sealed.by),
        m.sealed === null ? unset : m.sealed.box,
        m.sealedIn,
        BigInt(m.sequence),
      ],
    };
  }

  private changed(change: Changed, bucket: number): readonly Statement[] {
    const key = [BigInt(change.channelId), bucket, BigInt(change.messageId)] as const;
    const at = BigInt(change.sequence);
    switch (change.kind) {
      case 'edited': {
        const { time, mentions, flags, sealed, sealedIn } = change;
        const text = [BigInt(sealed.by), sealed.box, sealedIn];
        const values = [BigInt(time), mentionsColumn(mentions), flags ?? unset, ...text, at];
        return [{ query: this.edit, params: [at, ...values, ...key] }];
      }
      case 'deleted':
        return [
          { query: this.erase, params: [at, ...key] },
          { query: this.mark, params: [at, at, ...key] },
        ];
      case 'flagged':
        return [{ query: this.flag, params: [at, change.flags, at, ...key] }];
      case 'cleared':
        return change.emoji === null
          ? [
              { query: this.clearAll, params: [at, ...key] },
              { query: this.touch, params: [at, at, ...key] },
            ]
          : [{ query: this.clear, params: [at, change.emoji, at, at, ...key] }];
      case 'reacted':
        return [{ query: this.react, params: [at, reactionKey(change.userId, change.emoji), at, at, ...key] }];
      case 'unreacted':
        return [{ query: this.unreact, params: [at, [reactionKey(change.userId, change.emoji)], at, ...key] }];
    }
  }

  /** The row that records a bucket's first id, if the change is the first of a bucket. */
  ofBucket(change: RowChange): Statement | undefined {
    if (change.kind !== 'posted' || !isFirst(change.message.ordinal, this.bucketSize)) return undefined;
    const { channelId, id, sequence } = change.message;
    return { query: this.first, params: [BigInt(channelId), BigInt(id), this.bucketOf(change), BigInt(sequence)] };
  }

  through(channelId: string, sequence: number): Statement {
    return { query: this.reached, params: [BigInt(sequence), BigInt(sequence), BigInt(channelId)] };
  }
}

// Groups changes into requests. Those of one partition go together, in chunks that the store applies atomically. All
// changes of one message are in one chunk, in order, so that a row never holds a later event without the earlier ones.
// The chunks of one channel are sent in order, so that no reader finds a message without those posted before it.

const { piece, pack, inFlight, progress } = BUDGETS.cassandra;

type Chunk = Statement[];

interface Partition {
  open: Chunk;
  readonly ofMessage: Map<string, Chunk>;
}

/** @returns the chunks of each channel, in the order in which they are sent */
export const chunksOf = (
  changes: readonly RowChange[],
  statements: Statements,
): readonly (readonly (readonly Statement[])[])[] => {
  const channels = new Map<string, Chunk[]>();
  const partitions = new Map<string, Partition>();
  for (const change of changes) {
    const posted = change.kind === 'posted';
    const channelId = posted ? change.message.channelId : change.channelId;
    const messageId = posted ? change.message.id : change.messageId;
    const bucket = statements.bucketOf(change);
    const chunks = channels.get(channelId) ?? [];
    channels.set(channelId, chunks);
    const key = `${channelId}/${bucket}`;
    let partition = partitions.get(key);
    if (partition === undefined) {
      partition = { open: [], ofMessage: new Map() };
      partitions.set(key, partition);
      chunks.push(partition.open);
    }
    let chunk = partition.ofMessage.get(messageId);
    if (chunk === undefined) {
      if (partition.open.length >= piece) {
        partition.open = [];
        chunks.push(partition.open);
      }
      chunk = partition.open;
      partition.ofMessage.set(messageId, chunk);
    }
    for (const statement of statements.ofRow(change, bucket)) chunk.push(statement);
  }
  return [...channels.values()];
};

/**
 * Rows of channels (tiny, one or two for each) go in requests of ten, the number of partitions that the stores take at
 * once without a warning. One by one they would cost as much as the messages.
 */
export const packsOf = (rows: readonly Statement[]): readonly (readonly Statement[])[] => {
  const packs: (readonly Statement[])[] = [];
  for (let at = 0; at < rows.length; at += pack) packs.push(rows.slice(at, at + pack));
  return packs;
};

export class CassandraTimelineWriter implements TimelineWriter {
  private readonly cassandra: Pick<Cassandra, 'execute' | 'batch'>;
  private readonly statements: Statements;
  private readonly limit = bulkhead(inFlight, Number.POSITIVE_INFINITY);
  private readonly progress = new Batcher<readonly Statement[], void>({
    gather: 'previous',
    most: progress.atOnce,
    countOf: ({ length }) => length,
    bytesOf: ({ length }) => length * progress.rowBytes,
    commit: oneAnswer((some) => this.send(packsOf(some.flat()).map((rows) => [rows]))),
    classify,
  });

  constructor(cassandra: Pick<Cassandra, 'execute' | 'batch'>, tables: Tables, bucketSize: number) {
    this.cassandra = cassandra;
    this.statements = new Statements(tables, bucketSize);
  }

  /** Nothing is in flight once it resolves or rejects. A channel's progress is written after its rows. */
  async apply(changes: readonly TimelineChange[]): Promise<void> {
    const rows: RowChange[] = [];
    const buckets: Statement[] = [];
    const through: Statement[] = [];
    for (const change of changes) {
      if (change.kind === 'through') through.push(this.statements.through(change.channelId, change.sequence));
      else {
        rows.push(change);
        const bucket = this.statements.ofBucket(change);
        if (bucket !== undefined) buckets.push(bucket);
      }
    }
    await this.send([...chunksOf(rows, this.statements), ...packsOf(buckets).map((some) => [some])]);
    if (through.length > 0) await this.progress.add(through);
  }

  /** Sends several sequences side by side, each in order up to its first failure. */
  private async send(sequences: readonly (readonly (readonly Statement[])[])[]): Promise<void> {
    const sent = await Promise.allSettled(
      sequences.map(async (chunks) => {
        for (const chunk of chunks) await this.limit.execute(() => this.one(chunk));
      }),
    );
    for (const outcome of sent) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private async one(chunk: readonly Statement[]): Promise<void> {
    if (chunk.length === 1) await this.cassandra.execute(chunk[0]!.query, chunk[0]!.params);
    else await this.cassandra.batch(chunk);
  }
}
