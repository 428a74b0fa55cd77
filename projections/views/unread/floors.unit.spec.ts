import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../../log/memory.ts';
import type { ReadStream } from '../../../log/port.ts';
import { Story } from '../../testing.ts';
import type { ChannelRow, GuildReader, MemberRow } from '../guild-views/view.ts';
import { Floors } from './reader.ts';

const GUILD = '20';
const CHANNEL = '30';

class CountingLog extends MemoryLog {
  reads = 0;
  override readStream(query: ReadStream) {
    this.reads += 1;
    return super.readStream(query);
  }
}

/** The two queries that floors need. */
const guildsWith = (createdAt: number, joinedAt: number | undefined): GuildReader =>
  ({
    channel: async (): Promise<Partial<ChannelRow>> => ({ guildId: GUILD, createdAt }),
    member: async (): Promise<Partial<MemberRow> | undefined> => (joinedAt === undefined ? undefined : { joinedAt }),
  }) as unknown as GuildReader;

describe('where counting starts without a marker', () => {
  it('is the last message before joining, found once in a logarithmic number of reads', async () => {
    const log = new CountingLog();
    const story = new Story(log);
    const created = story.channel(CHANNEL, GUILD).position;
    for (let n = 0; n < 1000; n += 1) story.post(CHANNEL, '10');
    const joined = story.join(GUILD, '11').position;
    for (let n = 0; n < 3000; n += 1) story.post(CHANNEL, '10');
    const floors = new Floors(guildsWith(created, joined), log);
    expect(await floors.floor('11', CHANNEL)).toBe(1000);
    expect(log.reads).toBeLessThan(16);
    const reads = log.reads;
    expect(await floors.floor('11', CHANNEL)).toBe(1000);
    expect(log.reads).toBe(reads);
  });

  it('looks past events that are not messages', async () => {
    const story = new Story();
    const created = story.channel(CHANNEL, GUILD).position;
    story.post(CHANNEL, '10');
    for (let n = 0; n < 250; n += 1) story.react(CHANNEL, 1, String(100 + n), '👍');
    const joined = story.join(GUILD, '11').position;
    expect(await new Floors(guildsWith(created, joined), story.log).floor('11', CHANNEL)).toBe(1);
  });

  it('looks past events that are large', async () => {
    const story = new Story();
    const created = story.channel(CHANNEL, GUILD).position;
    story.post(CHANNEL, '10');
    for (let n = 0; n < 160; n += 1) story.react(CHANNEL, 1, String(100 + n), '😀'.repeat(16_384));
    const joined = story.join(GUILD, '11').position;
    expect(await new Floors(guildsWith(created, joined), story.log).floor('11', CHANNEL)).toBe(1);
  });

  it('is the beginning for a user who was there before the channel', async () => {
    const story = new Story();
    const joined = story.join(GUILD, '11').position;
    const created = story.channel(CHANNEL, GUILD).position;
    story.post(CHANNEL, '10');
    expect(await new Floors(guildsWith(created, joined), story.log).floor('11', CHANNEL)).toBe(0);
  });

  it('is beyond every head for a user who cannot see the channel', async () => {
    const story = new Story();
    story.post(CHANNEL, '10');
    expect(await new Floors(guildsWith(1, undefined), story.log).floor('11', CHANNEL)).toBe(Number.MAX_SAFE_INTEGER);
  });
});
