/** How far each person has read, and how far each channel has got. */

export interface ChannelHead {
  readonly channelId: string;
  /** Ordinal and id of the last message; 0 and null before the first. */
  readonly ordinal: number;
  readonly messageId: string | null;
  /** Sequence and position of the channel's last event of any kind. */
  readonly sequence: number;
  readonly position: number;
}

export interface ReadState {
  readonly channelId: string;
  /** Ordinal of the last message read. */
  readonly readOrdinal: number;
  /** Head ordinal minus read ordinal. */
  readonly unread: number;
  /** Messages beyond the marker that mention the user or everyone. */
  readonly mentions: number;
  readonly lastMessageId: string | null;
}

export interface UnreadReader {
  head(channelId: string): Promise<ChannelHead>;
  heads(channelIds: readonly string[]): Promise<ReadonlyMap<string, ChannelHead>>;
  /** One row for each of the channels. A channel without marker counts from the message before the user could first see it. */
  readStates(userId: string, channelIds: readonly string[]): Promise<readonly ReadState[]>;
}
