/** Delivery as one of the projections that follow the distribution log: it stores nothing, it publishes. */

import type { LogReader } from '../../log/port.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { PartitionBatch, PartitionStore } from '../engine/port.ts';
import { feedChannelOf, MANIFEST } from './channels.ts';
import { type BatchNumbers, encodeManifest, encodePulse } from './messages.ts';
import type { FeedPublisher } from './port.ts';

/** What is published for one batch of a partition: a pulse for each channel, then the manifest that names them. */
interface FeedMessage {
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
