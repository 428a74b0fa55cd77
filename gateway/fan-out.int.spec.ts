/** What live sessions receive for each event, and with which `s`. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageId } from '../projections/testing.ts';
import type { Frame, GatewayClient } from '../test/support/gateway-client.ts';
import { guildWith, hiddenChannel, type Station, UNSHOWABLE, World } from './testing.ts';

describe('a live session', () => {
  let world: World;
  let station: Station;
  let channel: string;
  let owner: GatewayClient;
  let member: GatewayClient;

  beforeEach(async () => {
    world = await World.open();
    for (const id of ['1', '2', '4']) world.story.user(id);
    world.story.user('3', 'bot', '1');
    channel = guildWith(world.story, '10', '1', '2', '3');
    station = await world.station();
    owner = await station.identified('1');
    member = await station.identified('2');
  });
  afterEach(() => world.close());

  /** Dispatches after the initial set that belong to an event. */
  const told = (client: GatewayClient): Frame[] =>
    client.frames
      .slice(client.frames.findIndex((frame) => frame.t === 'PARLEY_POSITION'))
      .filter((frame) => frame.op === 0 && frame.t !== 'PARLEY_POSITION');
  const names = (client: GatewayClient) => told(client).map((frame) => frame.t);

  it('receives messages, edits, deletions and reactions with sequence and ordinal, and the position as s', async () => {
    const { story } = world;
    const events = [
      story.post(channel, '1', { nonce: 'n' }),
      story.edit(channel, 1, '1'),
      story.react(channel, 1, '2', '👍'),
      story.unreact(channel, 1, '2', '👍'),
      story.remove(channel, 1, '1'),
    ];
    await world.received(owner, member);
    const id = messageId(channel, 1);
    const common = { channel_id: channel, guild_id: '10' };
    expect(told(member)).toMatchObject([
      {
        t: 'MESSAGE_CREATE',
        d: { id, ...common, author: { id: '1' }, nonce: 'n', member: {}, sequence: 2, ordinal: 1 },
      },
      { t: 'MESSAGE_UPDATE', d: { id, ...common, sequence: 3, ordinal: 1 } },
      { t: 'MESSAGE_REACTION_ADD', d: { message_id: id, ...common, user_id: '2', emoji: { id: null, name: '👍' } } },
      { t: 'MESSAGE_REACTION_REMOVE', d: { message_id: id, ...common, user_id: '2', sequence: 5 } },
      { t: 'MESSAGE_DELETE', d: { id, ...common, sequence: 6, ordinal: 1 } },
    ]);
    expect(told(member).map((frame) => frame.s)).toEqual(events.map((event) => event.position));
    expect(told(owner)).toEqual(told(member));
  });

  it('receives an overwrite by which it gains and loses a private thread of a channel that it sees all the time', async () => {
    const { story } = world;
    story.thread('92', '10', channel, '1', true);
    const manageThreads = { id: '2', type: 1 as const, allow: String(1n << 34n), deny: '0' };
    story.overwrite(channel, '10', manageThreads);
    await world.received(member);
    story.deleteOverwrite(channel, '10', '2');
    await world.received(member);
    expect(names(member)).toEqual(['THREAD_CREATE', 'CHANNEL_UPDATE', 'THREAD_DELETE', 'CHANNEL_UPDATE']);
  });

  it('receives nothing outside its intents', async () => {
    const quiet = await station.identified('2', { intents: 1 << 10 });
    world.story.post(channel, '1');
    world.story.react(channel, 1, '1', '👍');
    await world.received(quiet);
    expect(names(quiet)).toEqual(['MESSAGE_REACTION_ADD']);
  });

  it('of a bot without MESSAGE_CONTENT reads only text that is its own, direct or mentions it', async () => {
    world.story.direct('88', '1', '3');
    await world.settled();
    const bot = await station.identified('3', { intents: (1 << 9) | (1 << 12) });
    const reading = await station.identified('3', { intents: (1 << 9) | (1 << 12) | (1 << 15) });
    world.story.post(channel, '1');
    world.story.post(channel, '3');
    world.story.post(channel, '1', { mentions: { users: ['3'], everyone: false } });
    world.story.edit(channel, 1, '1');
    world.story.post('88', '1');
    await world.received(bot, reading);
    const text = (client: GatewayClient) => told(client).map((frame) => frame.d.content !== '');
    expect(text(bot)).toEqual([false, true, true, false, true]);
    expect(text(reading)).toEqual([true, true, true, true, true]);
  });

  it('gets the guild when its user joins, while others get the member, and then the messages that follow', async () => {
    const joiner = await station.identified('4');
    world.story.post(channel, '1');
    const joined = world.story.join('10', '4');
    world.story.post(channel, '1');
    await world.received(joiner, owner);
    expect(told(joiner)).toMatchObject([
      { t: 'GUILD_CREATE', s: joined.position, d: { id: '10', member_count: 4, channels: [{ id: channel }] } },
      { t: 'MESSAGE_CREATE', d: { ordinal: 2 } },
    ]);
    expect(told(owner)[1]).toMatchObject({ t: 'GUILD_MEMBER_ADD', d: { guild_id: '10', user: { id: '4' } } });
  });

  it('gets GUILD_DELETE when its user leaves, and nothing after it', async () => {
    const left = world.story.leave('10', '2');
    world.story.post(channel, '1');
    await world.received(member, owner);
    expect(told(member)).toEqual([{ op: 0, t: 'GUILD_DELETE', s: left.position, d: { id: '10' } }]);
    expect(told(owner)[0]).toMatchObject({ t: 'GUILD_MEMBER_REMOVE', d: { guild_id: '10', user: { id: '2' } } });
  });

  it('does not receive members without GUILD_MEMBERS, except its own membership', async () => {
    const person = await station.identified('1', { intents: undefined });
    const joiner = await station.identified('4', { intents: undefined });
    world.story.join('10', '4');
    await world.received(person, joiner);
    expect([names(person), names(joiner)]).toEqual([[], ['GUILD_CREATE']]);
  });

  it('receives a new channel that it can see, and then its messages', async () => {
    world.story.channel('20', '10');
    world.story.post('20', '1');
    await world.received(member);
    expect(told(member)).toMatchObject([
      { t: 'CHANNEL_CREATE', d: { id: '20', guild_id: '10', type: 0 } },
      { t: 'MESSAGE_CREATE', d: { channel_id: '20' } },
    ]);
  });

  it('never receives a channel that it cannot see', async () => {
    hiddenChannel(world.story, '30', '10');
    hiddenChannel(world.story, '31', '10', '2');
    for (const id of ['30', '31']) {
      world.story.post(id, '1');
      world.story.react(id, 1, '1', '👍');
      world.story.remove(id, 1, '1');
    }
    world.story.invite('secret', '10', '30', '1');
    await world.received(member, owner);
    expect(told(member).map((frame) => frame.d.id ?? frame.d.message_id)).toEqual([
      ...['31', messageId('31', 1), messageId('31', 1), messageId('31', 1)],
    ]);
    expect(names(owner).filter((t) => t === 'CHANNEL_CREATE')).toHaveLength(2);
  });

  it('receives a direct channel from its own side', async () => {
    world.story.direct('88', '1', '2');
    world.story.post('88', '1');
    await world.received(owner, member);
    const sides = [owner, member].map((client) => told(client)[0]!.d.recipients.map((user: { id: string }) => user.id));
    expect(sides).toEqual([['2'], ['1']]);
    expect(told(member)[1]!.d).not.toHaveProperty('guild_id');
  });

  it('receives invites when it manages the channel', async () => {
    world.story.invite('abc', '10', channel, '1');
    await world.received(owner, member);
    expect(told(owner)).toMatchObject([
      { t: 'INVITE_CREATE', d: { code: 'abc', guild_id: '10', channel_id: channel } },
      { t: 'GUILD_AUDIT_LOG_ENTRY_CREATE', d: { action_type: 40, guild_id: '10' } },
    ]);
    expect(told(member)).toEqual([]);
  });

  it('never sees a channel in a category that is deleted, whichever of the two came first', async () => {
    const { story } = world;
    story.channel('50', '10', 'category');
    for (const id of ['20', '21']) story.channel(id, '10');
    await world.settled();
    const early = await station.identified('2');
    story.editChannel('20', '10', { parentId: '50' });
    story.deleteChannel('50', '10');
    story.editChannel('21', '10', { parentId: '50' });
    await world.received(early);
    const updates = told(early).flatMap(({ t, d }) => (t === 'CHANNEL_UPDATE' ? [[d.id, d.parent_id] as const] : []));
    expect(Object.fromEntries(updates)).toEqual({ 20: null, 21: null });
    expect(names(early)).toContain('CHANNEL_DELETE');
    const late = await station.identified('2');
    const guild = late.dispatches('GUILD_CREATE')[0]!.d;
    expect(guild.channels.map((one: { parent_id: string | null }) => one.parent_id)).toEqual([null, null, null]);
  });

  it('receives that the invites of a channel end with it, when it manages that', async () => {
    world.story.channel('20', '10');
    world.story.invite('abc', '10', '20', '1');
    world.story.invite('other', '10', channel, '1');
    world.story.deleteChannel('20', '10');
    await world.received(owner, member);
    const ends = (client: GatewayClient) => told(client).filter(({ t }) => t?.endsWith('_DELETE'));
    expect(ends(owner)).toMatchObject([
      { t: 'INVITE_DELETE', d: { code: 'abc', guild_id: '10', channel_id: '20' } },
      { t: 'CHANNEL_DELETE', d: { id: '20' } },
    ]);
    expect(ends(member)).toMatchObject([{ t: 'CHANNEL_DELETE' }]);
  });

  it('receives nothing while it is timed out that it would take more than viewing to receive', async () => {
    world.story.role('10', '50', String((1 << 4) | (1 << 10)));
    world.story.giveRoles('10', '2', ['50']);
    const codes = (client: GatewayClient) =>
      told(client).flatMap(({ t, d }) => (t === 'INVITE_CREATE' || t === 'INVITE_DELETE' ? [d.code] : []));
    world.story.invite('before', '10', channel, '1');
    world.story.timeOut('10', '2', 4_102_444_800_000);
    world.story.invite('during', '10', channel, '1');
    await world.received(member);
    const fresh = await station.identified('2');
    world.story.deleteInvite('during', '10', channel);
    world.story.timeOut('10', '2', null);
    world.story.invite('after', '10', channel, '1');
    await world.received(member, fresh);
    expect([codes(member), codes(fresh)]).toEqual([['before', 'after'], ['after']]);
  });

  it("receives how far its user has read, and only an event's last dispatch carries its position", async () => {
    const other = await station.identified('2');
    const post = world.story.post(channel, '1');
    const read = world.story.read('2', { [channel]: 1, 20: 5 });
    await world.received(member, other, owner);
    expect(told(other).slice(1)).toMatchObject([
      { t: 'MESSAGE_ACK', s: post.position, d: { channel_id: '20', ordinal: 5, message_id: null } },
      { t: 'MESSAGE_ACK', s: read.position, d: { channel_id: channel, ordinal: 1, message_id: messageId(channel, 1) } },
    ]);
    expect(told(member)).toEqual(told(other));
    expect(names(owner)).toEqual(['MESSAGE_CREATE']);
  });

  it('receives the position on a heartbeat, once, when it sees little', async () => {
    const outsider = await station.identified('4');
    world.story.post(channel, '1');
    await world.received(outsider);
    await world.received(outsider);
    const head = await world.story.log.head();
    expect(outsider.dispatches('PARLEY_POSITION').map((frame) => frame.s)).toEqual([head - 1, head]);
  });

  it("receives no position on a heartbeat if it is a bot's, whose library would warn of the jump", async () => {
    world.story.user('9', 'bot', '1');
    const bot = await station.identified('9');
    world.story.post(channel, '1');
    await world.received(bot);
    await world.received(bot);
    expect(names(bot)).toEqual([]);
    await bot.cut();
  });

  it('receives the messages of a new direct channel, which is itself shown to people only', async () => {
    world.story.user('91', 'bot', '1');
    const bot = await station.identified('91');
    world.story.direct('910', '1', '91');
    world.story.post('910', '1');
    await world.received(bot, owner);
    expect(names(bot)).toEqual(['MESSAGE_CREATE']);
    expect(names(owner)).toEqual(['CHANNEL_CREATE', 'MESSAGE_CREATE']);
    const again = await station.resumed('91', { ...bot.session(), seq: bot.seq - 2 });
    expect(again.dispatches('CHANNEL_CREATE', 'MESSAGE_CREATE').map(({ t }) => t)).toEqual(['MESSAGE_CREATE']);
    await bot.cut();
    await again.cut();
  });

  it('receives typing with the s that it already has', async () => {
    world.story.post(channel, '1');
    await world.received(member);
    const s = member.seq;
    station.gateway.typing({ channelId: channel, guildId: '10', userId: '1', time: 5_500 });
    const typing = await member.dispatch('TYPING_START');
    expect(typing).toMatchObject({
      s,
      d: { channel_id: channel, guild_id: '10', user_id: '1', timestamp: 5, member: { user: { id: '1' } } },
    });
  });

  it('gets the events of one turn in order, and its s never falls', async () => {
    const events = Array.from({ length: 500 }, () => world.story.post(channel, '1'));
    await world.received(member);
    expect(told(member).map((frame) => frame.s)).toEqual(events.map((event) => event.position));
  });

  it('is closed resumably when an event cannot be presented, and the views go on', async () => {
    world.story.post(channel, '1', { nonce: UNSHOWABLE });
    expect(await member.closed()).toBe(4000);
    world.story.post(channel, '1');
    await world.settled();
    expect(station.errors).toHaveLength(1);
  });
});
