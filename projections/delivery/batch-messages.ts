/** What is published for one batch of a partition: a pulse for each channel, then the manifest that names them. */
import type { ParleyEvent } from '../../schemas/events/index.ts';
import { feedChannelOf, MANIFEST } from './channels.ts';
import { type BatchNumbers, encodeManifest, encodePulse } from './messages.ts';

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
