import { describe, expect, it } from 'vitest';
import { PLAIN } from '../schemas/events/channel.ts';
import { createGuild, type GuildState, guildFold, MAX_CHANNELS, requestChannel } from './guild.ts';
import { CHANNEL, events, GUILD, History, OWNER, refusal, types } from './testing.ts';

const aGuild = () =>
  new History<GuildState>(guildFold, `guild-${GUILD}`).given((state) => {
    const first = { firstChannel: { id: CHANNEL, name: 'general' }, systemChannelId: CHANNEL };
    return createGuild({ guild: { guildId: GUILD, name: 'G', ownerId: OWNER, everyone: '0', ...first } }, state);
  }, 'created');

const asked = (channelId: string, known: readonly string[] = [], key = channelId) => ({
  channel: {
    ...{ channelId, kind: 'text' as const, guildId: GUILD, name: 'more', topic: null, ...PLAIN },
    overwrites: [],
    participants: [],
  },
  known: known.map((id) => ({ id, kind: 'text' as const, parentId: null })),
  key,
});

describe('a guild', () => {
  it('is not created for somebody who may have no further one, but a repeat of its creation is answered', () => {
    const { state } = aGuild();
    const first = { firstChannel: { id: '1', name: 'g' }, systemChannelId: null };
    const guild = { guildId: GUILD, name: 'G', ownerId: OWNER, everyone: '0', ...first };
    expect(refusal(createGuild({ guild, isFull: true }, guildFold.initial()))).toBe('maximumGuilds');
    expect(events(createGuild({ guild, isFull: true }, state))).toEqual([]);
  });

  it('takes requests for channels, each once', () => {
    const guild = aGuild().given((state) => requestChannel(asked('301'), state), '301');
    expect(events(requestChannel(asked('302', [], '301'), guild.state))).toEqual([]);
    expect(types(requestChannel(asked('302'), guild.state))).toEqual(['channel-requested']);
    expect(refusal(requestChannel(asked('1'), guildFold.initial()))).toBe('unknownGuild');
  });

  it('has at most 500 channels: its first, those asked for here, and those that only the views know', () => {
    const older = Array.from({ length: 100 }, (_, i) => `${1000 + i}`);
    const guild = aGuild();
    for (let i = 0; i < MAX_CHANNELS - 101; i += 1)
      guild.given((state) => requestChannel(asked(`${2000 + i}`, [CHANNEL, ...older]), state), `key ${i}`);
    expect(refusal(requestChannel(asked('3', [CHANNEL, ...older]), guild.state))).toBe('maximumGuildChannels');
    expect(types(requestChannel(asked('3', [CHANNEL, ...older.slice(1)]), guild.state))).toEqual(['channel-requested']);
    const asking = asked('3', [CHANNEL, ...older]);
    const known = asking.known.map((one) => (one.id === CHANNEL ? { ...one, isDeleted: true } : one));
    expect(types(requestChannel({ ...asking, known }, guild.state))).toEqual(['channel-requested']);
  });
});
