/** Pins while their store lags behind the log: what it does not hold yet is taken from the channels' streams. */

import { bytesOfEvent, type LogReader } from '../../../log/port.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { channelStream } from '../../../schemas/streams.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import { type PinChange, type PinReader, type PinRow, pinChanges } from './view.ts';

const PAGE = 1000;
const { looked, pinnedChannels } = BUDGETS.lateViews;

/** What changes make of messages: the pin, or `undefined` for a message that is no longer pinned. */
type Changed = ReadonlyMap<string, PinRow | undefined>;
const NOTHING: Changed = new Map();

const changedBy = (changes: readonly PinChange[]): Changed =>
  new Map(
    changes.map((change) => [
      change.messageId,
      change.kind === 'pinned' ? { messageId: change.messageId, pinnedTime: change.pinnedTime } : undefined,
    ]),
  );

interface CurrentPinsOptions {
  readonly stored: PinReader;
  readonly log: Pick<LogReader, 'readStream' | 'streamHeads'>;
  /** Position through which the store holds every event, as far as this node knows. */
  readonly held: () => number;
  /** Position through which this node has received the log. */
  readonly received: () => number;
  /** The changes of a channel beyond a position that this node has received: all of them if it hears the channel. */
  readonly heard: (channelId: string, after: number) => readonly PinChange[];
}

export class CurrentPins implements PinReader {
  private readonly options: CurrentPinsOptions;

  constructor(options: CurrentPinsOptions) {
    this.options = options;
  }

  async pinned(channelId: string, query: { readonly before?: number; readonly limit: number }) {
    return this.page(channelId, query, await this.changed(channelId));
  }

  async pinnedAmong(channelId: string, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    const changed = await this.changed(channelId);
    const pinned = await this.options.stored.pinnedAmong(channelId, messageIds);
    return new Set(messageIds.filter((id) => (changed.has(id) ? changed.get(id) !== undefined : pinned.has(id))));
  }

  /** Of many channels, what this node has not heard is shown as the store holds it. */
  async lastPinned(channelIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { stored, heard, held } = this.options;
    const isFew = channelIds.length <= pinnedChannels;
    const after = held();
    const changes = await Promise.all(channelIds.map((id) => (isFew ? this.changed(id) : changedBy(heard(id, after)))));
    const last = new Map(await stored.lastPinned(channelIds));
    for (const [n, channelId] of channelIds.entries()) {
      if (changes[n]!.size === 0) continue;
      const [first] = await this.page(channelId, { limit: 1 }, changes[n]!);
      if (first === undefined) last.delete(channelId);
      else last.set(channelId, first.pinnedTime);
    }
    return last;
  }

  private async page(
    channelId: string,
    { before, limit }: { readonly before?: number; readonly limit: number },
    changed: Changed,
  ): Promise<readonly PinRow[]> {
    const range = before === undefined ? {} : { before };
    // As many rows more as may have gone.
    const rows = await this.options.stored.pinned(channelId, { ...range, limit: limit + changed.size });
    const added = [...changed.values()].flatMap((row) =>
      row === undefined || (before !== undefined && row.pinnedTime >= before) ? [] : [row],
    );
    return [...rows.filter(({ messageId }) => !changed.has(messageId)), ...added]
      .sort((a, b) => b.pinnedTime - a.pinnedTime)
      .slice(0, limit);
  }

  /**
   * The changes that the store may not hold; none where too much lies between or the log cannot be read, and the store's
   * answer is an older one.
   */
  private async changed(channelId: string): Promise<Changed> {
    try {
      return await this.fromLog(channelId);
    } catch (failure) {
      if (failure instanceof StoreUnavailable) return NOTHING;
      throw failure;
    }
  }

  private async fromLog(channelId: string): Promise<Changed> {
    const { log, held, received } = this.options;
    const after = held();
    if (after >= received()) return NOTHING;
    const stream = channelStream(channelId);
    const [head] = await log.streamHeads([stream]);
    if (head === undefined || head.position <= after) return NOTHING;
    const changes: PinChange[] = [];
    let [events, bytes] = [0, 0];
    for (let from = head.sequence; from > 0; ) {
      const page = await log.readStream({ stream, from, direction: 'backwards', limit: PAGE });
      for (const event of page) {
        if (event.position <= after) return changedBy(changes.reverse());
        changes.push(...pinChanges([event]));
        events += 1;
        bytes += bytesOfEvent(event);
      }
      if (page.length === 0) break;
      if (events > looked.events || bytes > looked.bytes) return NOTHING;
      from = page.at(-1)!.sequence - 1;
    }
    return changedBy(changes.reverse());
  }
}
