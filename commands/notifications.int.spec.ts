/** What a person chose to be notified of, where guilds and channels come and go. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { Instance } from '../test/support/write-side.ts';
import { refusal, right } from './testing.ts';

let instance: Instance;
let ann: string;
let ben: string;
beforeAll(async () => {
  instance = await Instance.open({ bounds: { notifications: 2 } });
  ann = await instance.register('ann');
  ben = await instance.register('ben');
});
afterAll(() => instance.close());

const mute = (guild_id: string, more: object = { muted: true }) =>
  instance.ask(ben, 'notifications.edit', { guild_id, ...more });
const settings = async () => {
  await instance.settled();
  const rows = await instance.views.guilds.notifications(ben);
  return rows.filter(({ notifications }) => notifications.muted).map(({ guildId }) => guildId);
};

it('settings of a guild that was left or deleted give way to others where there is no room', async () => {
  const guilds = await Promise.all([1, 2, 3, 4].map(() => instance.guild(ann)));
  for (const { channel } of guilds) await instance.join(ann, channel, ben);
  const [a, b, c, d] = guilds.map(({ id }) => id) as [string, string, string, string];
  for (const id of [a, b]) right(await mute(id));
  expect(refusal(await mute(c))).toBe('maximumNotifications');
  await instance.do(ben, 'guild.leave', { guild_id: a });
  right(await mute(c));
  expect(await settings()).toEqual([b, c]);
  expect(refusal(await mute(d))).toBe('maximumNotifications');
  await instance.do(ann, 'guild.delete', { guild_id: b });
  right(await mute(d));
  expect(await settings()).toEqual([c, d]);
  for (const id of [c, d]) right(await mute(id, { muted: false }));
});

it('settings of a channel that is gone can be taken back, and none are given to it', async () => {
  const { id: guild_id, channel } = await instance.guild(ann);
  await instance.join(ann, channel, ben);
  const some = async () => (await instance.do(ann, 'channel.create', { guild_id, name: 'some' })).id as string;
  const [gone, never] = [await some(), await some()];
  const of = (channel_id: string, muted: boolean) => mute(guild_id, { channel_overrides: [{ channel_id, muted }] });
  right(await of(gone, true));
  for (const channel_id of [gone, never]) await instance.do(ann, 'channel.delete', { channel_id });
  expect(right(await of(gone, false)).result).toMatchObject({ channel_overrides: [] });
  for (const channel_id of [gone, never]) expect(refusal(await of(channel_id, true))).toBe('invalidForm');
});
