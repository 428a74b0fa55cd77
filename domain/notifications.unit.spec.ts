import { describe, expect, it } from 'vitest';
import { PLAIN_NOTIFICATIONS } from '../schemas/events/settings.ts';
import { changeNotifications, MAX_OVERRIDES, type NotificationsPatch, notificationsFold } from './notifications.ts';
import { ANN, events, GUILD, History, NOW, only, refusal } from './testing.ts';

const PLAIN_CHANNEL = { muted: false, mute: null, messages: 3 };

const changing = (patch: Partial<NotificationsPatch>, guildId: string | null = GUILD, key = 'k', most = 10_000) => ({
  ...{ userId: ANN, guildId, key, most, guilds: [GUILD] },
  patch: { channels: [], ...patch },
});

const changed = (...patches: readonly Partial<NotificationsPatch>[]) => {
  const history = new History(notificationsFold, `settings-${ANN}`);
  for (const [n, patch] of patches.entries())
    history.given((state) => changeNotifications(changing(patch, GUILD, `k${n}`), state), `k${n}`);
  return history.state;
};

describe('what a person is notified of', () => {
  it('changes field by field, and null takes a field back', () => {
    const mute = { endTime: NOW, window: 3600 };
    const state = changed({ muted: true, mute }, { messages: 1 }, { mute: null });
    expect(state.guilds.get(GUILD)).toEqual({ ...PLAIN_NOTIFICATIONS, muted: true, messages: 1 });
    expect(only(changeNotifications(changing({ muted: null, messages: null }), state)).data).toEqual({
      ...{ userId: ANN, guildId: GUILD, notifications: PLAIN_NOTIFICATIONS },
    });
  });

  it('changes channel by channel, in order of their ids; one that is as the guild says is not kept', () => {
    const state = changed(
      { channels: [{ channelId: '9', muted: true }] },
      { channels: [{ channelId: '10', messages: 2 }] },
      {
        channels: [{ channelId: '8', muted: true }],
      },
    );
    expect(state.guilds.get(GUILD)?.channels).toEqual([
      { channelId: '8', ...PLAIN_CHANNEL, muted: true },
      { channelId: '9', ...PLAIN_CHANNEL, muted: true },
      { channelId: '10', ...PLAIN_CHANNEL, messages: 2 },
    ]);
    const without = changeNotifications(changing({ channels: [{ channelId: '9', muted: false }] }), state);
    expect(JSON.stringify(only(without).data)).not.toContain('"9"');
  });

  it('is nothing new where it is so already, and apart for direct messages', () => {
    const state = changed({ muted: true });
    expect(events(changeNotifications(changing({ muted: true }), state))).toEqual([]);
    expect(events(changeNotifications(changing({ muted: false }, GUILD, 'k0'), state))).toEqual([]);
    expect(only(changeNotifications(changing({ muted: true }, null), state)).data).toMatchObject({ guildId: null });
  });

  it('counts no guild that is as it was at first again', () => {
    const state = changed({ muted: true }, { muted: false });
    expect(events(changeNotifications(changing({ muted: true }, null, 'k', 1), state))).toHaveLength(1);
    const one = changed({ muted: true });
    expect(refusal(changeNotifications(changing({ muted: true }, null, 'k', 1), one))).toBe('maximumNotifications');
    expect(events(changeNotifications(changing({ muted: false }, GUILD, 'k', 1), one))).toHaveLength(1);
  });

  it('is said of a bounded number of channels', () => {
    const some = (from: number, count: number) => ({
      channels: Array.from({ length: count }, (_, n) => ({ channelId: String(from + n), muted: true })),
    });
    const state = changed(some(1, MAX_OVERRIDES));
    expect(refusal(changeNotifications(changing(some(5000, 1)), state))).toBe('maximumChannelSettings');
  });

  it('is said of a bounded number of guilds and channels all together, and less is always possible', () => {
    const channel = (channelId: string, muted: boolean) => ({ channels: [{ channelId, muted }] });
    const state = changed(channel('7', true), channel('8', true));
    const ask = (patch: Partial<NotificationsPatch>, guildId: string | null, most: number) =>
      refusal(changeNotifications(changing(patch, guildId, 'new', most), state));
    // A guild and two channels.
    expect(ask({ muted: true }, null, 3)).toBe('maximumNotifications');
    expect(ask({ muted: true }, null, 4)).toBeUndefined();
    expect(ask(channel('9', true), GUILD, 3)).toBe('maximumNotifications');
    expect(ask(channel('9', true), null, 4)).toBe('maximumNotifications');
    for (const patch of [{ muted: true }, channel('7', false)]) expect(ask(patch, GUILD, 1)).toBeUndefined();
  });

  it('gives way where there is no room, if it is of guilds that the person has left', () => {
    const history = new History(notificationsFold, `settings-${ANN}`);
    for (const guildId of ['71', '72', '73'])
      history.given((state) => changeNotifications(changing({ muted: true }, guildId, guildId), state), guildId);
    const ask = (guilds: readonly string[], most: number, muted = true) =>
      changeNotifications({ ...changing({ muted }, GUILD, 'k', most), guilds }, history.state);
    expect(only(ask([GUILD], 4)).data).toMatchObject({ guildId: GUILD });
    expect(refusal(ask([GUILD, '71', '72', '73'], 3))).toBe('maximumNotifications');
    expect(refusal(ask([GUILD, '71'], 1))).toBe('maximumNotifications');
    expect(events(ask([GUILD, '71'], 3)).map(({ data }) => data)).toMatchObject([
      { guildId: GUILD, notifications: { muted: true } },
      { guildId: '72', notifications: PLAIN_NOTIFICATIONS },
    ]);
    history.given(() => ask([GUILD, '71'], 2), 'k');
    expect([...history.state.guilds.keys()]).toEqual(['71', GUILD]);
  });
});
