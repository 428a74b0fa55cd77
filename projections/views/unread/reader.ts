/** Unread counts for readers: what the store holds, and for channels without a marker where counting starts. */

import type { LogReader } from '../../../log/port.ts';
import { lru } from '../../../schemas/lru.ts';
import { inParallel } from '../../../schemas/parallel.ts';
import { channelStream } from '../../../schemas/streams.ts';
import { type ChannelRow, cameAt, type GuildReader } from '../guild-views/view.ts';
import { type ChannelHead, noRoles, type ReadState, type RolesIn, type UnreadReader, type UnreadRows } from './view.ts';

const REMEMBERED = 10_000;
const PAGE = 100;
/** Channels looked through at the same time. */
const TOGETHER = 8;

/** Where counting starts for a user who has never read a channel: the last message before they could see it. */
export class Floors {
  private readonly guilds: GuildReader;
  private readonly log: LogReader;
  /** Messages before a position never change. */
  private readonly known = lru<string, number>(REMEMBERED);

  constructor(guilds: GuildReader, log: LogReader) {
    this.guilds = guilds;
    this.log = log;
  }

  /** Ordinal of the last message before the user could see the channel; beyond every head if the user cannot see it. */
  async floor(userId: string, channelId: string): Promise<number> {
    const channel = await this.guilds.channel(channelId);
    if (channel === undefined) return 0;
    const joinedAt = await this.joinedAt(userId, channel);
    if (joinedAt === undefined) return Number.MAX_SAFE_INTEGER;
    if (joinedAt <= channel.createdAt) return 0;
    const key = `${channelId}@${joinedAt}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const ordinal = await this.lastOrdinalAt(channelStream(channelId), joinedAt);
    this.known.set(key, ordinal);
    return ordinal;
  }

  /** Position at which the user came to where the channel is. */
  private async joinedAt(userId: string, channel: ChannelRow): Promise<number | undefined> {
    if (channel.guildId !== null) return (await this.guilds.member(channel.guildId, userId))?.joinedAt;
    return channel.participants.includes(userId) ? cameAt(channel, userId) : undefined;
  }

  /** Takes a logarithmic number of reads, so that joining need not write a row per channel. */
  private async lastOrdinalAt(stream: string, position: number): Promise<number> {
    const head = await this.log.streamHead(stream);
    let low = 0;
    let high = head.sequence;
    if (head.position <= position) low = high;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const [event] = await this.log.readStream({ stream, from: middle, limit: 1 });
      if (event !== undefined && event.position <= position) low = middle;
      else high = middle - 1;
    }
    return this.lastOrdinalUpTo(stream, low);
  }

  private async lastOrdinalUpTo(stream: string, sequence: number): Promise<number> {
    for (let from = sequence; from > 0; ) {
      const page = await this.log.readStream({ stream, from, direction: 'backwards', limit: PAGE });
      for (const event of page) if (event.type === 'message-posted') return event.data.ordinal;
      from = (page.at(-1)?.sequence ?? 1) - 1;
    }
    return 0;
  }
}

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

  async readStates(
    userId: string,
    channelIds: readonly string[],
    rolesIn: RolesIn = noRoles,
  ): Promise<readonly ReadState[]> {
    const unmarked = await this.rows.unmarked(userId, channelIds);
    const found = await inParallel(unmarked, TOGETHER, (channelId) => this.floors.floor(userId, channelId));
    const floors = new Map(unmarked.map((channelId, n) => [channelId, found[n]!]));
    // Counts at one moment only now: the views advanced while the log was read.
    return this.rows.states(
      userId,
      channelIds.map((channelId) => ({ channelId, floor: floors.get(channelId) ?? 0, roles: rolesIn(channelId) })),
    );
  }
}
