/** Delivery is one of the projections that follow the distribution log. It stores nothing; it publishes. */

import { bytesOfEvent, type LogReader } from '../../log/port.ts';
import type { ParleyEvent, UnreadableEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import type { EmptyRange } from '../engine/empty-ranges.ts';
import type { PartitionBatch, PartitionStore } from '../engine/port.ts';
import { feedChannelOf, MANIFEST } from './channels.ts';
import { type BatchNumbers, encodeManifest, encodePulse, type Manifest, type Pulse } from './payloads.ts';
import type { FeedBatch, FeedPublisher } from './port.ts';

/** The messages of one batch of a partition: one pulse per channel, then the manifest that names them. */
export interface FeedMessage {
  readonly channel: string;
  readonly text: string;
  /** What the text says. */
  readonly said: Pulse | Manifest;
}

export const messagesOf = (
  events: readonly ParleyEvent[],
  { from, to, through }: BatchNumbers,
  empty: readonly EmptyRange[] = [],
): FeedMessage[] => {
  const byChannel = new Map<string, ParleyEvent[]>();
  for (const event of events) {
    const channel = feedChannelOf(event);
    const group = byChannel.get(channel);
    if (group === undefined) byChannel.set(channel, [event]);
    else group.push(event);
  }
  const pulses = [...byChannel].map(([channel, group]) => {
    const said: Pulse = { from, to, through, events: group };
    return { channel, said, text: encodePulse(said) };
  });
  const manifest: Manifest = { from, to, through, channels: [...byChannel.keys()], ...(empty.length > 0 && { empty }) };
  return [...pulses, { channel: MANIFEST, said: manifest, text: encodeManifest(manifest) }];
};

const { events: EVENTS, bytes: BYTES } = BUDGETS.feed;

interface Sent {
  readonly through: number;
  /** Position of the last event. */
  readonly to: number;
}

/** Splits a batch into linked pieces, each small enough in number and in bytes. A larger event goes alone. */
const piecesOf = ({ partition, from, events, through, empty = [] }: FeedBatch): readonly FeedBatch[] => {
  const pieces: FeedBatch[] = [];
  let after = from;
  let piece: ParleyEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const more = bytesOfEvent(event);
    if (piece.length === EVENTS || (piece.length > 0 && bytes + more > BYTES)) {
      const end = piece.at(-1)!.position;
      pieces.push({ partition, from: after, events: piece, through: end });
      [after, piece, bytes] = [end, [], 0];
    }
    piece.push(event);
    bytes += more;
  }
  return [...pieces, { partition, from: after, events: piece, through, empty }];
};

/** Sends all messages in order; rejects if only some may have been sent. */
export type SendMessages = (partition: number, messages: readonly FeedMessage[]) => Promise<void>;

/**
 * Publishes each batch with the position of the last event before it, as long as nothing failed in between. After a
 * failure the next batch's manifest does not link to the previous one, and gateways read the range between from the
 * log.
 */
export class ChainedPublisher implements FeedPublisher {
  private readonly send: SendMessages;
  private readonly sent = new Map<number, Sent>();

  constructor(send: SendMessages) {
    this.send = send;
  }

  async publish(batch: FeedBatch): Promise<void> {
    for (const piece of piecesOf(batch)) await this.publishPiece(piece);
  }

  private async publishPiece({ partition, from: after, events, through, empty }: FeedBatch): Promise<void> {
    const former = this.sent.get(partition);
    const from = former?.through === after ? former.to : after;
    const to = events.at(-1)?.position ?? from;
    this.sent.delete(partition);
    await this.send(partition, messagesOf(events, { from, to, through }, empty));
    this.sent.set(partition, { through, to });
  }
}

interface DeliverySinkOptions {
  readonly publisher: FeedPublisher;
  readonly log: Pick<LogReader, 'head'>;
  /** Of the distribution log. */
  readonly partitions: number;
  /** A batch could not be published. Gateways notice, and read it from the log. */
  readonly onDropped: (batch: PartitionBatch, error: unknown) => void;
  /** An event cannot be read, so it is not delivered. */
  readonly onUnreadable: (failure: UnreadableEvent) => void;
}

/** Continues after a failed batch: publishing it later would help nobody. */
export const deliverySink = ({
  publisher,
  log,
  partitions,
  onDropped,
  onUnreadable,
}: DeliverySinkOptions): PartitionStore => ({
  name: 'delivery',
  /** A new owner begins at the head of the log. Gateways read the range before it from the log. */
  async checkpoints() {
    const head = await log.head();
    return Array.from({ length: partitions }, () => head);
  },
  async commit(batch) {
    try {
      await publisher.publish(batch);
    } catch (error) {
      onDropped(batch, error);
    }
  },
  async repair() {},
  passOver: onUnreadable,
  classify: () => 'transient',
  async flush() {},
});
