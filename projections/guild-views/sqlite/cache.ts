/** What every command asks for again, kept in memory. The writer forgets what it touches, so only committed rows are seen. */
import { LRUCache } from 'lru-cache';
import type { ChannelRow, GuildRow, MemberRow, UserRow } from '../port.ts';

// The cache takes its room in advance: some 25 bytes a place.
const PEOPLE = 50_000;
const PLACES = 10_000;
const LISTS = 1_000;

export const memberKey = (guildId: string, userId: string) => `${guildId}_${userId}`;

export class GuildCache {
  readonly guilds = new LRUCache<string, GuildRow>({ max: PLACES });
  readonly channels = new LRUCache<string, ChannelRow>({ max: PLACES });
  readonly channelLists = new LRUCache<string, readonly ChannelRow[]>({ max: LISTS });
  readonly members = new LRUCache<string, MemberRow>({ max: PEOPLE });
  readonly users = new LRUCache<string, UserRow>({ max: PEOPLE });
}
