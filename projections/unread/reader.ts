/** Unread counts for whoever asks: what the store keeps, and for channels without a marker where counting starts. */
import type { Floors } from './floors.ts';
import type { ChannelHead, ReadState, UnreadReader, UnreadRows } from './port.ts';

export class Unread implements UnreadReader {
  private readonly rows: UnreadRows;
  private readonly floors: Floors;

  constructor(rows: UnreadRows, floors: Floors) {
    this.rows = rows;
    this.floors = floors;
  }

  head(channelId: string): Promise<ChannelHead> {
    return this.rows.head(channelId);
  }

  heads(channelIds: readonly string[]): Promise<ReadonlyMap<string, ChannelHead>> {
    return this.rows.heads(channelIds);
  }

  async readStates(userId: string, channelIds: readonly string[]): Promise<readonly ReadState[]> {
    const floors = new Map<string, number>();
    for (const channelId of await this.rows.unmarked(userId, channelIds))
      floors.set(channelId, await this.floors.floor(userId, channelId));
    // Counted only now, at one moment: the log was asked while the views moved on.
    return this.rows.states(
      userId,
      channelIds.map((channelId) => ({ channelId, floor: floors.get(channelId) ?? 0 })),
    );
  }
}
