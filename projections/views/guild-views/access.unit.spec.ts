import { describe, expect, it } from 'vitest';
import { allows, DEFAULT_EVERYONE, Permission } from '../../../domain/permissions.ts';
import { Access } from './access.ts';
import { type ChannelRow, type GuildReader, rowOfGuild } from './view.ts';

const [OWNER, ANN, STRANGER] = ['1', '2', '3'];
const guild = rowOfGuild({ id: '10', name: 'G', ownerId: OWNER!, everyone: `${DEFAULT_EVERYONE}` }, 2);
const hidden = { id: '10', type: 0 as const, allow: '0', deny: `${Permission.viewChannel}` };

const channelRow = (id: string, more: Partial<ChannelRow> = {}): ChannelRow => ({
  ...{ id, kind: 'text', guildId: '10', name: id, topic: null, overwrites: [], participants: [] },
  ...{ order: Number(id), createdAt: 1, nsfw: false, parentId: null, slowmode: 0 },
  ...more,
});
const channels = [
  channelRow('20'),
  channelRow('21', { overwrites: [hidden] }),
  channelRow('22', {
    overwrites: [hidden, { id: ANN!, type: 1, allow: `${Permission.viewChannel}`, deny: `${Permission.sendMessages}` }],
  }),
  channelRow('30', { kind: 'dm', guildId: null, participants: [OWNER!, ANN!] }),
  channelRow('40', { guildId: '99' }),
];

const reader = {
  guild: async (id: string) => (id === guild.id ? guild : undefined),
  channel: async (id: string) => channels.find((one) => one.id === id),
  channelsOf: async (id: string) => channels.filter((one) => one.guildId === id),
  member: async (guildId: string, userId: string) =>
    guildId === guild.id && userId !== STRANGER
      ? { guildId, userId, joinedTime: 0, joinedAt: 1, roles: [], nick: null, timedOutUntil: null }
      : undefined,
} as Partial<GuildReader> as GuildReader;
const access = new Access(reader, () => 0);

describe('a channel', () => {
  it('that is hidden gives the same answer as one that does not exist', async () => {
    expect(await access.channel(ANN!, '21')).toBeUndefined();
    expect(await access.channel(ANN!, '999')).toBeUndefined();
    expect(await access.channel(STRANGER!, '20')).toBeUndefined();
    expect(await access.channel(STRANGER!, '30')).toBeUndefined();
  });

  it('comes with its guild and the user’s permissions in it', async () => {
    const open = await access.channel(ANN!, '20');
    expect(open).toMatchObject({ channel: { id: '20' }, guild: { id: '10' }, permissions: DEFAULT_EVERYONE });
    const own = (await access.channel(ANN!, '22'))!.permissions;
    expect([allows(own, Permission.viewChannel), allows(own, Permission.sendMessages)]).toEqual([true, false]);
    expect((await access.channel(OWNER!, '21'))?.channel.id).toBe('21');
  });

  it('between two people is visible to them alone, not even to a guild’s owner', async () => {
    for (const userId of [OWNER, ANN]) expect(await access.channel(userId!, '30')).toMatchObject({ guild: undefined });
  });

  it('whose guild has not appeared yet does not exist', async () => {
    expect(await access.channel(OWNER!, '40')).toBeUndefined();
  });
});

describe('a guild', () => {
  it('does not exist for a user who is not a member', async () => {
    expect(await access.guild(STRANGER!, '10')).toBeUndefined();
    expect(await access.guild(ANN!, '999')).toBeUndefined();
    expect(await access.guild(ANN!, '10')).toMatchObject({ member: { userId: ANN }, permissions: DEFAULT_EVERYONE });
  });

  it('shows each member the channels that they may view, in order', async () => {
    const shown = async (userId: string) =>
      (await access.visibleChannels(guild, { userId, roles: [] })).map(({ id }) => id);
    expect(await shown(OWNER!)).toEqual(['20', '21', '22']);
    expect(await shown(ANN!)).toEqual(['20', '22']);
  });
});
