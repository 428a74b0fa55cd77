/** A change as what is written for it. Each carries the event's sequence as its timestamp; none writes a null. */
import { types } from 'cassandra-driver';
import type { Mentions } from '../../../schemas/events/index.ts';
import type { TimelineChange } from '../port.ts';
import type { Statement } from './connection.ts';
import { bucketOf, type Tables } from './generations.ts';
import { reactionKey } from './reactions.ts';

export type RowChange = Exclude<TimelineChange, { kind: 'through' }>;
type Changed = Exclude<RowChange, { kind: 'posted' }>;

/** `''` says none over those of an earlier sequence. */
const mentionsColumn = (mentions: Mentions): string =>
  mentions.everyone || mentions.users.length > 0 ? JSON.stringify(mentions) : '';

const isFirst = (ordinal: number, size: number): boolean => (ordinal - 1) % size === 0;

/** Left as it is, where a null would be a deletion. */
const { unset } = types;

export class Statements {
  private readonly bucketSize: number;
  private readonly post: string;
  private readonly edit: string;
  private readonly erase: string;
  private readonly mark: string;
  private readonly react: string;
  private readonly unreact: string;
  private readonly first: string;
  private readonly reached: string;

  constructor({ messages, channels }: Tables, bucketSize: number) {
    this.bucketSize = bucketSize;
    const key = 'WHERE channel_id = ? AND bucket = ? AND id = ?';
    this.post = `INSERT INTO ${messages} (channel_id, bucket, id, ordinal, sequence, position, author, time, reply_to,
      mentions, flags, nonce, sealed_by, box, sealed_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      USING TIMESTAMP ?`;
    this.edit = `UPDATE ${messages} USING TIMESTAMP ? SET edited_time = ?, mentions = ?, sealed_by = ?, box = ?,
      sealed_in = ?, changed = ? ${key}`;
    this.erase = `DELETE sealed_by, box, reactions FROM ${messages} USING TIMESTAMP ? ${key}`;
    this.mark = `UPDATE ${messages} USING TIMESTAMP ? SET deleted = true, changed = ? ${key}`;
    this.react = `UPDATE ${messages} USING TIMESTAMP ? SET reactions[?] = ?, changed = ? ${key}`;
    this.unreact = `UPDATE ${messages} USING TIMESTAMP ? SET reactions = reactions - ?, changed = ? ${key}`;
    this.first = `INSERT INTO ${channels} (channel_id, first_id, bucket) VALUES (?, ?, ?) USING TIMESTAMP ?`;
    this.reached = `UPDATE ${channels} USING TIMESTAMP ? SET through = ? WHERE channel_id = ?`;
  }

  /** The partition a message is in. */
  bucketOf(change: RowChange): number {
    return bucketOf(change.kind === 'posted' ? change.message.ordinal : change.ordinal, this.bucketSize);
  }

  /** What goes into the message's row. */
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
        const { time, mentions, sealed, sealedIn } = change;
        const values = [BigInt(time), mentionsColumn(mentions), BigInt(sealed.by), sealed.box, sealedIn, at];
        return [{ query: this.edit, params: [at, ...values, ...key] }];
      }
      case 'deleted':
        return [
          { query: this.erase, params: [at, ...key] },
          { query: this.mark, params: [at, at, ...key] },
        ];
      case 'reacted':
        return [{ query: this.react, params: [at, reactionKey(change.userId, change.emoji), at, at, ...key] }];
      case 'unreacted':
        return [{ query: this.unreact, params: [at, [reactionKey(change.userId, change.emoji)], at, ...key] }];
    }
  }

  /** The row that names a bucket's first id, where the change is the first of one. */
  ofBucket(change: RowChange): Statement | undefined {
    if (change.kind !== 'posted' || !isFirst(change.message.ordinal, this.bucketSize)) return undefined;
    const { channelId, id, sequence } = change.message;
    return { query: this.first, params: [BigInt(channelId), BigInt(id), this.bucketOf(change), BigInt(sequence)] };
  }

  through(channelId: string, sequence: number): Statement {
    return { query: this.reached, params: [BigInt(sequence), BigInt(sequence), BigInt(channelId)] };
  }
}
