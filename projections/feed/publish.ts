/** Delivery as one of the projections that follow the distribution log: it stores nothing, it publishes. */

import type { LogReader } from '../../log/port.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { PartitionBatch, PartitionStore } from '../engine/port.ts';
import { feedChannelOf, MANIFEST } from './channels.ts';
import { type BatchNumbers, encodeManifest, encodePulse } from './messages.ts';
import type { FeedBatch, FeedPublisher } from './port.ts';

/** What is published for one batch of a partition: a pulse for each channel, then the manifest that names them. */
export interface FeedMessage {
  readonly channel: string;
  readonly text: string;
}

export const messagesOf = (events: readonly ParleyEvent[], { from, to, through }: BatchNumbers): FeedMessage[] => {
  const byChannel = new Map<string, ParleyEvent[]>();
  for (const event of events) {
    const channel = feedChannelOf(event);
    const group = byChannel.get(channel);
    if (group === undefined) byChannel.set(channel, [event]);
    else group.push(event);
  }
  const pulses = [...byChannel].map(([channel, group]) => ({
    channel,
    text: encodePulse({ from, to, through, events: group }),
  }));
  return [
    ...pulses,
    { channel: MANIFEST, text: encodeManifest({ from, to, through, channels: [...byChannel.keys()] }) },
  ];
};

/** Events of one manifest: a gateway takes them in one go, and its sockets wait meanwhile. */
const EVENTS = 250;

interface Sent {
  readonly through: number;
  /** Position of the last event. */
  readonly to: number;
}

/** Cut into pieces that lead on from each other. */
const piecesOf = ({ partition, from, events, through }: FeedBatch): readonly FeedBatch[] => {
  if (events.length <= EVENTS) return [{ partition, from, events, through }];
  const pieces: FeedBatch[] = [];
  for (let start = 0, after = from; start < events.length; start += EVENTS) {
    const piece = events.slice(start, start + EVENTS);
    const last = start + EVENTS >= events.length;
    const end = last ? through : piece.at(-1)!.position;
    pieces.push({ partition, from: after, events: piece, through: end });
    after = end;
  }
  return pieces;
};

/** All of it, in order; rejects when it may have been published in part only. */
export type SendMessages = (partition: number, messages: readonly FeedMessage[]) => Promise<void>;

/**
 * Publishes each batch with the position of the last event before it, as long as nothing went wrong in between; else the
 * next batch's manifest does not lead on from the one before, and gateways read what is between from the log.
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

  private async publishPiece({ partition, from: after, events, through }: FeedBatch): Promise<void> {
    const former = this.sent.get(partition);
    const from = former?.through === after ? former.to : after;
    const to = events.at(-1)?.position ?? from;
    this.sent.delete(partition);
    await this.send(partition, messagesOf(events, { from, to, through }));
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
}

/** Goes on whatever becomes of a batch: what is not published now is of no use to anybody later. */
export const deliverySink = ({ publisher, log, partitions, onDropped }: DeliverySinkOptions): PartitionStore => ({
  name: 'delivery',
  /** Who takes over begins where the log ends: what lies between gateways have read from it, or do so now. */
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
  kindOf: () => 'transient',
  async flush() {},
});
