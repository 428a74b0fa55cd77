import type { RedisClient } from '../../redis/index.ts';
import { messagesOf } from '../batch-messages.ts';
import type { FeedBatch, FeedPublisher } from '../port.ts';
import type { FeedNames } from './names.ts';

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

/**
 * Publishes each batch in one pipeline. Fails within the connection's time-out, and at once while there is no connection; then
 * the next batch's manifest does not lead on from the one before, and gateways read what is between from the log.
 */
export class RedisFeedPublisher implements FeedPublisher {
  private readonly client: RedisClient;
  private readonly names: FeedNames;
  private readonly sent = new Map<number, Sent>();

  /** @param client of its own: what others send through it would come between */
  constructor(client: RedisClient, names: FeedNames) {
    this.client = client;
    this.names = names;
  }

  async publish(batch: FeedBatch): Promise<void> {
    for (const piece of piecesOf(batch)) await this.publishPiece(piece);
  }

  private async publishPiece({ partition, from: after, events, through }: FeedBatch): Promise<void> {
    const former = this.sent.get(partition);
    const from = former?.through === after ? former.to : after;
    const to = events.at(-1)?.position ?? from;
    this.sent.delete(partition);
    const pipeline = this.client.pipeline();
    for (const { channel, text } of messagesOf(events, { from, to, through }))
      pipeline.spublish(this.names.of(partition, channel), text);
    for (const [failure] of (await pipeline.exec()) ?? []) if (failure !== null) throw failure;
    this.sent.set(partition, { through, to });
  }
}
