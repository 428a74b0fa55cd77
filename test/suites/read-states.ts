/** Read markers of several channels at once, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, type Message, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
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
  });
