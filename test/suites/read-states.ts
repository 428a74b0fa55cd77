/** Read markers of several channels at once, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, type Message, someName } from '../support/api.ts';
import { GatewayClient, type Payload } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

interface ReadState {
  readonly channel_id: string;
  readonly read_ordinal: number;
  readonly unread_count: number;
}

export const readStatesSuite = (start: StartInstance) =>
  describe('read markers of several channels', () => {
    let instance: Instance;
    let owner: Api;
    let member: Account;
    let ben: Api;
    let channels: readonly [Channel, Channel, Channel];
    /** Two messages in each channel. */
    let messages: Readonly<Record<string, readonly [Message, Message]>>;

    beforeAll(async () => {
      instance = await start({ PARLEY_LIMIT_SEND: 'off', PARLEY_LIMIT_GLOBAL: 'off' });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      const guild = await owner.createGuild('Read');
      [member] = (await joined(owner, guild, 'ben', 1)) as [Account];
      ben = instance.api.as(member);
      const hidden = [{ id: guild.id, type: 0, allow: '0', deny: '1024' }];
      channels = [
        guild.channel,
        await owner.createChannel(guild.id, { name: 'more' }),
        await owner.createChannel(guild.id, { name: 'hidden', permission_overwrites: hidden }),
      ];
      const sent = async ({ id }: Channel) =>
        [id, [await owner.send(id, 'one'), await owner.send(id, 'two')] as const] as const;
      messages = Object.fromEntries(await Promise.all(channels.map(sent)));
    });

    afterAll(() => instance?.close());

    const mark = ({ id }: Channel, which: 0 | 1) => ({ channel_id: id, message_id: messages[id]![which].id });
    const ordinals = async () => {
      const states = await ben.ask<ReadState[]>('GET', '/users/@me/read-states');
      return channels.map(({ id }) => states.find((state) => state.channel_id === id)?.read_ordinal);
    };

    it('move together, and those of channels and messages unknown to their person are passed over', async () => {
      const [first, second, hidden] = channels;
      const socket = await GatewayClient.identified(instance.url, member.token);
      const read_states = [
        { ...mark(first, 1), read_state_type: 0 },
        mark(second, 0),
        mark(hidden, 1),
        { channel_id: '1', message_id: '1' },
        { ...mark(second, 1), message_id: '1' },
      ];
      expect((await ben.request('POST', '/read-states/ack-bulk', { read_states })).status).toBe(204);
      for (const [channel, ordinal] of [
        [first, 2],
        [second, 1],
      ] as const)
        expect((await socket.dispatch('MESSAGE_ACK', (d) => d.channel_id === channel.id)).d).toMatchObject({ ordinal });
      expect(await ordinals()).toEqual([2, 1, undefined]);
      // They never move back.
      await ben.ask('POST', '/read-states/ack-bulk', { read_states: [mark(first, 0)] });
      expect(await ordinals()).toEqual([2, 1, undefined]);
      await socket.cut();
    });

    it('move over the socket too, at most 100 by one command', async () => {
      const socket = await GatewayClient.identified(instance.url, member.token);
      const command = { type: 'channel.read-many', read_states: [mark(channels[1], 1)] };
      expect(await socket.command(command)).toMatchObject({ ok: true, result: null });
      expect(await ordinals()).toEqual([2, 2, undefined]);
      await socket.cut();
      const many = { read_states: Array.from({ length: 101 }, () => mark(channels[0], 0)) };
      const refused = await ben.request('POST', '/read-states/ack-bulk', many);
      expect(refused).toMatchObject({ status: 400, body: { code: 50035 } });
      expect(await ben.request('POST', '/read-states/ack-bulk', {})).toMatchObject({ status: 400 });
    });

    it('go back when a channel is marked as unread from a message on, and only then', async () => {
      const { id } = channels[0];
      const socket = await GatewayClient.identified(instance.url, member.token);
      const said = await ben.send(id, 'my own');
      const ack = (message: { id: string }) => `/channels/${id}/messages/${message.id}/ack`;
      const [first, second] = messages[id]!;
      const state = async () =>
        (await ben.ask<ReadState[]>('GET', '/users/@me/read-states')).find((one) => one.channel_id === id);
      await ben.ask('POST', ack(first));
      expect(await state()).toMatchObject({ read_ordinal: 3, unread_count: 0 });
      expect((await ben.request('POST', ack(first), { manual: true, mention_count: 0 })).status).toBe(200);
      expect((await socket.dispatch('MESSAGE_ACK', (d) => d.manual === true)).d).toMatchObject({
        ...{ channel_id: id, ordinal: 1, mention_count: 0 },
      });
      expect(await state()).toMatchObject({ read_ordinal: 1, unread_count: 2 });
      const onSocket = { type: 'channel.read', channel_id: id, message_id: second.id };
      expect(await socket.command(onSocket)).toMatchObject({ ok: true, result: { token: null } });
      expect(await state()).toMatchObject({ read_ordinal: 2, unread_count: 1 });
      // Clients may name what stands right before a message.
      const before = String(BigInt(first.id) - 1n);
      expect(await socket.command({ ...onSocket, message_id: before, manual: true })).toMatchObject({ ok: true });
      expect(await state()).toMatchObject({ read_ordinal: 0, unread_count: 3 });
      await ben.ask('POST', ack(said));
      expect(await state()).toMatchObject({ read_ordinal: 3, unread_count: 0 });

      // What names a role counts for those who have it, in the dispatch as when asked for.
      const { guild_id: guildId } = await ben.ask<{ guild_id: string }>('GET', `/channels/${id}`);
      const role = await owner.ask<{ id: string }>('POST', `/guilds/${guildId}/roles`, {
        name: 'crew',
        mentionable: true,
      });
      await owner.ask('PUT', `/guilds/${guildId}/members/${member.id}/roles/${role.id}`);
      const called = await owner.send(id, `<@&${role.id}>`);
      await expect.poll(state).toMatchObject({ last_message_id: called.id, mention_count: 1 });
      const back = { manual: true, mention_count: 0 };
      expect((await ben.request('POST', ack(second), back)).status).toBe(200);
      const marked = (d: Payload) => d.manual === true && d.ordinal === 2;
      expect((await socket.dispatch('MESSAGE_ACK', marked)).d.mention_count).toBe(1);
      await expect.poll(state).toMatchObject({ read_ordinal: 2, mention_count: 1 });
      await ben.ask('POST', ack(called));
      await socket.cut();
    });

    it('stand beside what a person is notified of, which their other sessions and READY say, and which counts nothing', async () => {
      const { guild_id: guildId } = await ben.ask<{ guild_id: string }>('GET', `/channels/${channels[0].id}`);
      const path = `/users/@me/guilds/${guildId}/settings`;
      const [bens, adas] = [member.token, owner.account!.token];
      const [his, hers] = await Promise.all([bens, adas].map((token) => GatewayClient.identified(instance.url, token)));
      const before = await ben.ask<ReadState[]>('GET', '/users/@me/read-states');
      const channel_overrides = [{ channel_id: channels[0].id, message_notifications: 2, muted: true }];
      const mute_config = { end_time: '2030-01-01T00:00:00.000Z', selected_time_window: 3600 };
      const changed = await ben.request('PATCH', path, { muted: true, mute_config, channel_overrides });
      const now = {
        ...{ guild_id: guildId, muted: true, suppress_everyone: false, message_notifications: 3 },
        mute_config: { end_time: '2030-01-01T00:00:00.000000+00:00', selected_time_window: 3600 },
        channel_overrides: [{ ...channel_overrides[0], mute_config: null }],
      };
      expect(changed).toMatchObject({ status: 200, body: now });
      expect((await his!.dispatch('USER_GUILD_SETTINGS_UPDATE')).d).toMatchObject(now);
      expect(await ben.ask('GET', path)).toMatchObject(now);
      const direct = { type: 'notifications.edit', guild_id: '@me', muted: true };
      expect(await his!.command(direct)).toMatchObject({ ok: true, result: { guild_id: null, muted: true } });
      await his!.dispatch('USER_GUILD_SETTINGS_UPDATE', (d) => d.guild_id === null);
      const again = await GatewayClient.identified(instance.url, bens);
      expect((await again.dispatch('READY')).d.user_guild_settings).toMatchObject({
        ...{ entries: [{ guild_id: null, muted: true }, now], partial: false },
      });
      expect(await ben.ask('GET', '/users/@me/read-states')).toEqual(before);
      expect(hers!.dispatches('USER_GUILD_SETTINGS_UPDATE')).toEqual([]);
      for (const one of [his!, hers!, again]) await one.cut();

      const wrong = async (body: object, where = path) => (await ben.request('PATCH', where, body)).body;
      expect(await wrong({ message_notifications: 4 })).toMatchObject({ code: 50035 });
      // One that is hidden is as one that is not there.
      for (const channel_id of [channels[2].id, '1'])
        expect(await wrong({ channel_overrides: [{ channel_id, muted: true }] })).toMatchObject({
          ...{ code: 50035, errors: { channel_overrides: { _errors: [{ code: 'CHANNEL_INVALID' }] } } },
        });
      expect(await wrong({ muted: true }, '/users/@me/guilds/1/settings')).toMatchObject({ code: 10004 });
      expect((await ben.request('GET', '/users/@me/guilds/1/settings')).body).toMatchObject({ code: 10004 });
      const bot = instance.api.as(await owner.createBot('helper'));
      expect((await bot.request('PATCH', '/users/@me/guilds/@me/settings', {})).body).toMatchObject({ code: 20001 });
    });
  });
