import { beforeEach, describe, expect, it } from 'vitest';
import { directChannel, guild, member, NOW, Shown, textChannel } from './testing.ts';

let shown: Shown;
beforeEach(() => {
  shown = new Shown().user('1', 'owner').user('2', 'ann').user('3', 'robot', 'bot');
});

const deletedUser = (id: string) => ({ id, username: 'deleted-user', global_name: 'Deleted User', bot: false });
const head = { channelId: '20', ordinal: 7, messageId: '77', sequence: 9, position: 9 };

describe('a user', () => {
  it('is shown in the shape of Discord', async () => {
    expect(await shown.presenter.user('3')).toEqual({
      ...{
        id: '3',
        username: 'robot',
        global_name: null,
        discriminator: '0',
        avatar: null,
        bot: true,
        public_flags: 0,
      },
    });
  });

  it('whose key is gone, or who never was, is a deleted user', async () => {
    await shown.presenter.user('2');
    shown.erase('2');
    expect(await shown.presenter.user('2')).toMatchObject(deletedUser('2'));
    expect(await shown.presenter.user('404')).toMatchObject(deletedUser('404'));
  });

  it('is looked up once, with all who are missing together', async () => {
    await shown.presenter.users(['1', '2', '1']);
    const both = await shown.presenter.users(['2', '1', '3']);
    expect(shown.asked).toEqual(['1', '2', '3']);
    expect([...both.keys()].toSorted()).toEqual(['1', '2', '3']);
  });

  it('who was not there is looked up again: they may have come since', async () => {
    await shown.presenter.user('9');
    shown.user('9', 'late');
    expect(await shown.presenter.user('9')).toMatchObject({ username: 'late' });
  });
});

describe('a channel', () => {
  it('of a guild is shown with its overwrites and its last message', async () => {
    expect(await shown.presenter.channel(textChannel, '2', head)).toMatchObject({
      ...{ id: '20', type: 0, guild_id: '10', name: 'general', topic: 'all', position: 3, last_message_id: '77' },
      permission_overwrites: [{ id: '10', type: 0, allow: '0', deny: '2048' }],
    });
    expect(await shown.presenter.channel(textChannel, '2')).toMatchObject({ last_message_id: null });
  });

  it('of two people shows each the other', async () => {
    const recipients = async (viewer: string) => {
      const channel = await shown.presenter.channel(directChannel, viewer);
      expect(channel).not.toHaveProperty('guild_id');
      return [channel.type, channel.recipients?.map(({ username }) => username)];
    };
    expect(await recipients('1')).toEqual([1, ['ann']]);
    expect(await recipients('2')).toEqual([1, ['owner']]);
  });
});

describe('a guild', () => {
  it('has the role of everyone, whose id is its own, with what libraries insist on', () => {
    expect(shown.presenter.guild(guild)).toMatchObject({
      ...{ id: '10', name: 'Guild', owner_id: '1' },
      roles: [{ id: '10', name: '@everyone', permissions: '1024', colors: { primary_color: 0 } }],
    });
  });

  it('arrives with channels, members, and the rest empty', async () => {
    const heads = new Map([['20', head]]);
    const parts = { guild, channels: [textChannel], heads, member, members: [member], largeThreshold: 50 };
    expect(await shown.presenter.guildCreate(parts)).toMatchObject({
      ...{ id: '10', unavailable: false, large: false, member_count: 2, joined_at: new Date(NOW).toISOString() },
      channels: [{ id: '20', last_message_id: '77' }],
      members: [{ user: { username: 'ann' }, roles: [], joined_at: new Date(NOW).toISOString() }],
      ...{ threads: [], presences: [], voice_states: [], stage_instances: [], guild_scheduled_events: [] },
    });
    const large = { ...parts, guild: { ...guild, memberCount: 51 } };
    expect(await shown.presenter.guildCreate(large)).toMatchObject({ large: true });
  });
});

describe('an invite', () => {
  const invite = {
    ...{ code: 'abc', guildId: '10', channelId: '20', inviterId: '2', maxUses: 5, uses: 1, createdTime: NOW },
    expiresAt: NOW + 60_000,
  };

  it('tells where it leads, who made it and how long it holds', async () => {
    expect(await shown.presenter.invite(invite)).toMatchObject({
      ...{ code: 'abc', uses: 1, max_uses: 5, max_age: 60, expires_at: new Date(NOW + 60_000).toISOString() },
      ...{ guild: { id: '10', name: 'Guild' }, channel: { id: '20', name: 'general' }, inviter: { username: 'ann' } },
    });
    expect(await shown.presenter.invite({ ...invite, expiresAt: null })).toMatchObject({
      max_age: 0,
      expires_at: null,
    });
  });

  it('into what is not there is none', async () => {
    expect(await shown.presenter.invite({ ...invite, guildId: '99' })).toBeUndefined();
    expect(await shown.presenter.invite({ ...invite, channelId: '99' })).toBeUndefined();
  });
});
