/** What is never stored, in the feed channel of whom it concerns: so only gateways with listeners receive it. */

import { channelFeed, type FeedChannel, personFeed } from './channels.ts';
import { encodeTakeover, encodeTyping } from './payloads.ts';
import type { SignalPublisher } from './port.ts';

/** @param partitions of the distribution log */
export const signalsThrough = (
  partitions: number,
  send: (channel: FeedChannel, text: string) => void,
): SignalPublisher => ({
  typing: (typing) => send(channelFeed(typing.channelId, partitions), encodeTyping(typing)),
  takeover: (takeover) => send(personFeed(takeover.userId, partitions), encodeTakeover(takeover)),
});
