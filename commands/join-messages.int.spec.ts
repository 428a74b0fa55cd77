import { afterEach, beforeEach, expect, it } from 'vitest';
import { channelStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { right } from './testing.ts';

let instance: Instance;
let owner: string;
let guild: { readonly id: string; readonly channel: string };

beforeEach(async () => {
  instance = await Instance.open();
  owner = await instance.register('ada');
  guild = await instance.guild(owner, true);
});
afterEach(() => instance.close());

/** Who is said to have joined, by the types 7 of a channel. */
const announced = async (channelId = guild.channel): Promise<readonly string[]> => {
  await instance.settled();
  const events = await instance.stream(channelStream(channelId));
  return events.flatMap(({ type, data }) =>
    type === 'message-posted' && 'messageType' in data && data.messageType === 7 ? [data.author] : [],
  );
};
const edit = (body: object) => instance.do(owner, 'guild.edit', { guild_id: guild.id, ...body });

it('a new guild says in its first channel who joins, once for each joining, and not that its owner did', async () => {
  const ben = await instance.register('ben');
  const { code } = await instance.do(owner, 'invite.create', { channel_id: guild.channel, max_uses: 5 });
  for (const key of ['join', 'join', 'again']) right(await instance.ask(ben, 'guild.join', { code }, { key }));
  expect(await announced()).toEqual([ben]);
  const state = async (userId: string) => (await instance.views.unread.readStates(userId, [guild.channel]))[0];
  expect(await state(owner)).toMatchObject({ unread: 1, mentions: 0 });
  expect(await state(ben)).toMatchObject({ unread: 0, mentions: 0 });
  await instance.do(ben, 'guild.leave', { guild_id: guild.id });
  const cat = await instance.register('cat');
  await instance.join(owner, guild.channel, ben, cat);
  expect(await announced()).toEqual([ben, ben, cat]);
});

it('what a former run left undone is said after a restart, and nothing twice', async () => {
  const ben = await instance.register('ben');
  await instance.join(owner, guild.channel, ben);
  expect(await announced()).toEqual([ben]);
  await instance.write.processes.catchUp(0);
  await instance.reopen({ processes: true });
  await instance.write.processes.catchUp(0);
  expect(await announced()).toEqual([ben]);
});

it('nothing is said where that is turned off, where there is no channel or none that newcomers see', async () => {
  const [ben, cat, dan, eve] = await Promise.all(['ben', 'cat', 'dan', 'eve'].map((name) => instance.register(name)));
  const other = await instance.do(owner, 'channel.create', { guild_id: guild.id, name: 'other' });
  await edit({ system_channel_flags: 1 });
  await instance.join(owner, guild.channel, ben!);
  await edit({ system_channel_flags: 6, system_channel_id: null });
  await instance.join(owner, guild.channel, cat!);
  await edit({ system_channel_id: other.id });
  const hidden = { id: guild.id, type: 0 as const, allow: '0', deny: '1024' };
  await instance.do(owner, 'channel.edit', { channel_id: other.id, permission_overwrites: [hidden] });
  await instance.join(owner, guild.channel, dan!);
  await instance.do(owner, 'channel.delete', { channel_id: other.id });
  await instance.join(owner, guild.channel, eve!);
  for (const channelId of [guild.channel, other.id]) expect(await announced(channelId)).toEqual([]);
  expect((await instance.views.guilds.guild(guild.id))?.memberCount).toBe(5);
});
