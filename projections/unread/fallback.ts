/** Unread counts that answer without their store, from the log. */
import type { Progress } from '../port.ts';
import { StoreUnavailable } from '../unavailable.ts';
import type { ChannelHead, ReadState, UnreadReader } from './port.ts';

class UnreadWithFallback implements UnreadReader {
  private readonly primary: UnreadReader;
  private readonly fallback: UnreadReader;

  constructor(primary: UnreadReader, fallback: UnreadReader) {
    this.primary = primary;
    this.fallback = fallback;
  }

  head(channelId: string): Promise<ChannelHead> {
    return this.ask((reader) => reader.head(channelId));
  }

  heads(channelIds: readonly string[]): Promise<ReadonlyMap<string, ChannelHead>> {
    return this.ask((reader) => reader.heads(channelIds));
  }

  readStates(userId: string, channelIds: readonly string[]): Promise<readonly ReadState[]> {
    return this.ask((reader) => reader.readStates(userId, channelIds));
  }

  /** Each question is answered by one of them alone: halves of two would not fit. */
  private async ask<T>(question: (reader: UnreadReader) => Promise<T>): Promise<T> {
    try {
      return await question(this.primary);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return question(this.fallback);
    }
  }
}

/** Asks `fallback` whatever `primary` cannot answer now, or would answer without having everything. */
export const unreadWithFallback = (primary: UnreadReader, fallback: UnreadReader): UnreadReader =>
  new UnreadWithFallback(primary, fallback);

/** Between looks at whether the store is gone. */
const LOOK_MS = 250;

/**
 * Progress of unread counts for who waits until they hold something: while their store is gone the log answers, which holds
 * everything.
 */
export const progressWithFallback = (progress: Progress, isGone: () => boolean): Progress => ({
  checkpoint: () => progress.checkpoint(),
  async whenProcessed(position, timeoutMs) {
    const deadline = Date.now() + timeoutMs;
    for (let left = timeoutMs; left > 0 && !isGone(); left = deadline - Date.now())
      if (await progress.whenProcessed(position, Math.min(left, LOOK_MS))) return true;
    return isGone();
  },
});
