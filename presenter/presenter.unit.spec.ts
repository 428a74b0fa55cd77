import { beforeEach, describe, expect, it } from 'vitest';
import { directChannel, guild, member, NOW, Shown, textChannel } from './testing.ts';
import { wireTime } from './time.ts';

let shown: Shown;
beforeEach(() => {
  shown = new Shown().user('1', 'owner').user('2', 'ann').user('3', 'robot', 'bot');
});

const deletedUser = (id: string) => ({ id, username: 'deleted-user', global_name: 'Deleted User', bot: false });
const head = { channelId: '20', ordinal: 7, messageId: '77', sequence: 9, position: 9 };

describe('a user', () => {
  it("has Discord's shape", async () => {
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

  it('is a deleted user when the key is gone or the user is unknown', async () => {
    await shown.presenter.user('2');
    shown.erase('2');
    expect(await shown.presenter.user('2')).toMatchObject(deletedUser('2'));
    expect(await shown.presenter.user('404')).toMatchObject(deletedUser('404'));
  });

  it('is looked up once, together with all others that are missing', async () => {
    await shown.presenter.users(['1', '2', '1']);
    const both = await shown.presenter.users(['2', '1', '3']);
    expect(shown.asked).toEqual(['1', '2', '3']);
    expect([...both.keys()].toSorted()).toEqual(['1', '2', '3']);
  });

  it('is looked up again if it was not found: it may exist by now', async () => {
    await shown.presenter.user('9');
    shown.user('9', 'late');
    expect(await shown.presenter.user('9')).toMatchObject({ username: 'late' });
  });
});

describe('a channel', () => {
  it('in a guild has its overwrites and its last message', async () => {
    expect(await shown.presenter.channel(textChannel, '2', head, NOW)).toMatchObject({
      last_pin_timestamp: wireTime(NOW),
      ...{ id: '20', type: 0, guild_id: '10', name: 'general', topic: 'all', position: 3, last_message_id: '77' },
      permission_overwrites: [{ id: '10', type: 0, allow: '0', deny: '2048' }],
    });
    expect(await shown.presenter.channel(textChannel, '2')).toMatchObject({
      ...{ last_message_id: null, last_pin_timestamp: null },
    });
  });

  it('between two people shows each the other', async () => {
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
  it("has the everyone role, whose id is the guild's, with the fields that libraries insist on", () => {
    expect(shown.presenter.guild(guild)).toMatchObject({
      ...{ id: '10', name: 'Guild', owner_id: '1' },
      roles: [{ id: '10', name: '@everyone', permissions: '1024', colors: { primary_color: 0 } }],
    });
  });

  it('has its channels and members in GUILD_CREATE, and empty lists for the rest', async () => {
    const heads = new Map([['20', head]]);
    const lastPinned = new Map([['20', NOW]]);
    const parts = {
      guild,
      channels: [textChannel],
      threads: [],
      heads,
      lastPinned,
      member,
      members: [member],
      largeThreshold: 50,
    };
    expect(await shown.presenter.guildCreate(parts)).toMatchObject({
      ...{ id: '10', unavailable: false, large: false, member_count: 2, joined_at: wireTime(NOW) },
      channels: [{ id: '20', last_message_id: '77', last_pin_timestamp: wireTime(NOW) }],
      members: [{ user: { username: 'ann' }, roles: [], joined_at: wireTime(NOW) }],
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

  it('says where it leads, who made it and until when it is valid', async () => {
    expect(await shown.presenter.invite(invite)).toMatchObject({
      ...{ code: 'abc', uses: 1, max_uses: 5, max_age: 60, expires_at: wireTime(NOW + 60_000) },
      ...{ guild: { id: '10', name: 'Guild' }, channel: { id: '20', name: 'general' }, inviter: { username: 'ann' } },
    });
    expect(await shown.presenter.invite({ ...invite, expiresAt: null })).toMatchObject({
      max_age: 0,
      expires_at: null,
    });
  });

  it('has the link that people follow, and what an outsider sees of the guild', async () => {
    expect(await shown.presenter.invite(invite)).toMatchObject({
      url: 'https://chat.example/invite/abc',
      guild_id: '10',
      guild: { features: [], splash: null, verification_level: 0, nsfw_level: 0, vanity_url_code: null },
    });
  });

  it('does not exist for an unknown target', async () => {
    expect(await shown.presenter.invite({ ...invite, guildId: '99' })).toBeUndefined();
    expect(await shown.presenter.invite({ ...invite, channelId: '99' })).toBeUndefined();
  });
});

describe('a time', () => {
  it('has microseconds and its zone, as every library reads it', () => {
    expect(wireTime(Date.parse('2026-11-28T03:10:37.213Z'))).toBe('2026-11-28T03:10:37.213000+00:00');
    expect(wireTime(0)).toBe('1970-01-01T00:00:00.000000+00:00');
  });
});

describe('the user whose session it is', () => {
  it('is shown with what only they see, and without an address', async () => {
    expect(await shown.presenter.self('3')).toEqual({
      ...(await shown.presenter.user('3')),
      ...{ email: null, verified: true, mfa_enabled: false, flags: 0, premium_type: 0, locale: 'en-US' },
      ...{ bio: '', banner: null, accent_color: null, pronouns: '', custom_status: null },
    });
  });
});

describe('an embed', () => {
  it('is rich, whatever its author calls it', async () => {
    // Only those whose author is known are shown as said.
    await shown.presenter.user('2');
    const row = shown.message('7', '2', 'x');
    const body = { content: 'x', embeds: [{ title: 'a' }, { title: 'b', type: 'image' }] };
    const message = await shown.presenter.posted(shown.posted(row), null, body);
    expect(message.embeds).toEqual([
      { title: 'a', type: 'rich' },
      { title: 'b', type: 'rich' },
    ]);
  });
});
