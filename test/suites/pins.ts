/** Pins end to end: socket and HTTP, the log, the views, delivery and resume. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, type Message, someName } from '../support/api.ts';
import { GatewayClient, type Payload } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

interface Pins {
  readonly items: readonly { readonly pinned_at: string; readonly message: Message & { readonly pinned: boolean } }[];
  readonly has_more: boolean;
}

/** @param restarts whether the server is restarted */
export const pinsSuite = (start: StartInstance, restarts = true) =>
  describe('pins', () => {
    let instance: Instance;
    let owner: Api;
    let member: Account;
    let channel: Channel;
    let guildId: string;

    beforeAll(async () => {
      instance = await start({ PARLEY_LIMIT_SEND: 'off', PARLEY_LIMIT_PIN: 'off', PARLEY_LIMIT_GLOBAL: 'off' });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      const guild = await owner.createGuild('Board');
      ({ channel, id: guildId } = guild);
      [member] = (await joined(owner, guild, 'ben', 1)) as [Account];
    });

    afterAll(() => instance?.close());

    const on = (messageId: string) => `/channels/${channel.id}/messages/pins/${messageId}`;
    const board = (query = '', by: Api = owner) => by.ask<Pins>('GET', `/channels/${channel.id}/messages/pins${query}`);
    const idsOf = ({ items }: Pins) => items.map(({ message }) => message.id);
    const about = (id: string) => (d: Payload) => d.id === id;

    it('are announced to everybody and in the channel, and show on the board and in the history', async () => {
      const listener = await GatewayClient.identified(instance.url, member.token);
      const { id } = await owner.send(channel.id, 'to be pinned');
      expect((await owner.request('PUT', on(id))).status).toBe(204);
      const update = await listener.dispatch('MESSAGE_UPDATE', about(id));
      expect(update.d).toMatchObject({ pinned: true, content: 'to be pinned', edited_timestamp: null });
      const pins = await listener.dispatch('CHANNEL_PINS_UPDATE');
      expect(pins.d).toMatchObject({ channel_id: channel.id, guild_id: guildId });
      const told = await listener.dispatch('MESSAGE_CREATE', (d) => d.type === 6);
      expect(told.d).toMatchObject({
        content: '',
        author: { id: owner.account!.id },
        message_reference: { channel_id: channel.id, guild_id: guildId, message_id: id },
      });
      expect(told.d).not.toHaveProperty('referenced_message');
      // Both dispatches belong to one event, so only the last carries its position.
      expect(pins.s).toBeGreaterThan(update.s!);
      await listener.cut();

      const { items, has_more } = await board();
      expect(has_more).toBe(false);
      expect(items).toMatchObject([{ message: { id, pinned: true } }]);
      expect(items[0]!.pinned_at).toBe(pins.d.last_pin_timestamp);
      const history = (await owner.history(channel.id)) as unknown as Payload[];
      expect(history.map(({ type, pinned }) => ({ type, pinned }))).toEqual([
        { type: 6, pinned: false },
        { type: 0, pinned: true },
      ]);
      expect(await owner.ask(`GET`, `/channels/${channel.id}/pins`)).toMatchObject([{ id, pinned: true }]);
    });

    it('can be removed and set again over the socket and by the older path', async () => {
      const socket = await GatewayClient.identified(instance.url, owner.account!.token);
      const [id] = idsOf(await board()) as [string];
      const command = { type: 'message.unpin', channel_id: channel.id, message_id: id };
      expect(await socket.command(command)).toMatchObject({ ok: true, result: null });
      expect(idsOf(await board())).toEqual([]);
      const update = await socket.dispatch('CHANNEL_PINS_UPDATE');
      expect(update.d.last_pin_timestamp).toBeNull();
      expect((await owner.request('PUT', `/channels/${channel.id}/pins/${id}`)).status).toBe(204);
      expect(idsOf(await board())).toEqual([id]);
      const events = (await owner.history(channel.id)).length;
      // Repeating a request changes nothing.
      expect(await socket.command({ ...command, type: 'message.pin' })).toMatchObject({ ok: true });
      expect(await owner.history(channel.id)).toHaveLength(events);
      await socket.cut();
    });

    it('reach a client that resumes', async () => {
      const socket = await GatewayClient.identified(instance.url, member.token);
      const before = socket.session();
      await socket.cut();
      const { id } = await owner.send(channel.id, 'pinned meanwhile');
      await owner.ask('PUT', on(id));
      const resumed = await GatewayClient.resumed(instance.url, member.token, before);
      const names = resumed.frames.flatMap(({ t }) => (t === null || t === 'RESUMED' ? [] : [t]));
      expect(names.filter((name) => name !== 'PARLEY_POSITION')).toEqual([
        'MESSAGE_CREATE',
        'MESSAGE_UPDATE',
        'CHANNEL_PINS_UPDATE',
        'MESSAGE_CREATE',
      ]);
      await resumed.cut();
    });

    it.runIf(restarts)('survive a restart, page by page, the last pinned first', async () => {
      await instance.restart();
      const all = idsOf(await board());
      expect(all).toHaveLength(2);
      const first = await board('?limit=1');
      expect(first).toMatchObject({ has_more: true });
      const second = await board(`?limit=1&before=${encodeURIComponent(first.items[0]!.pinned_at)}`);
      expect(second).toMatchObject({ has_more: false });
      expect([...idsOf(first), ...idsOf(second)]).toEqual(all);
    });

    it('disappear with a deleted message, and stay on an edited one', async () => {
      const socket = await GatewayClient.identified(instance.url, member.token);
      const [last, former] = idsOf(await board()) as [string, string];
      await owner.ask('PATCH', `/channels/${channel.id}/messages/${former}`, { content: 'edited' });
      expect((await socket.dispatch('MESSAGE_UPDATE', about(former))).d).toMatchObject({
        pinned: true,
        content: 'edited',
      });
      await owner.ask('DELETE', `/channels/${channel.id}/messages/${last}`);
      await socket.dispatch('MESSAGE_DELETE', about(last));
      // Libraries hand the deleted message on as they last knew it, so nothing may have emptied it before.
      expect(socket.dispatches('MESSAGE_UPDATE').filter(({ d }) => d.id === last)).toEqual([]);
      const { items } = await board();
      expect(items.map(({ message }) => message.id)).toEqual([former]);
      const last_pin_timestamp = items[0]!.pinned_at;
      expect(socket.dispatches('CHANNEL_PINS_UPDATE').at(-1)!.d).toMatchObject({ last_pin_timestamp });
      const shown = { id: channel.id, last_pin_timestamp };
      expect(await owner.ask('GET', `/channels/${channel.id}`)).toMatchObject(shown);
      expect(await owner.ask('GET', `/guilds/${guildId}/channels`)).toMatchObject([shown]);
      const fresh = await GatewayClient.identified(instance.url, member.token);
      expect(fresh.dispatches('GUILD_CREATE')[0]!.d.channels).toMatchObject([shown]);
      await fresh.cut();
      await socket.cut();
    });

    it('of a direct channel show when the last was set, to both people and wherever the channel is shown', async () => {
      const other = await instance.api.register(someName('dan'));
      const dm = await owner.ask<Channel>('POST', '/users/@me/channels', { recipient_id: other.id });
      expect(dm).toMatchObject({ last_pin_timestamp: null });
      const { id } = await owner.send(dm.id, 'between us');
      await owner.ask('PUT', `/channels/${dm.id}/messages/pins/${id}`);
      const { items } = await owner.ask<Pins>('GET', `/channels/${dm.id}/messages/pins`);
      const shown = { id: dm.id, last_pin_timestamp: items[0]!.pinned_at };
      expect(await owner.ask('POST', '/users/@me/channels', { recipient_id: other.id })).toMatchObject(shown);
      expect(await instance.api.as(other).ask('GET', '/users/@me/channels')).toMatchObject([shown]);
      const fresh = await GatewayClient.identified(instance.url, other.token);
      expect(fresh.dispatches('READY')[0]!.d.private_channels).toMatchObject([shown]);
      await fresh.cut();
    });

    it('are refused without the permission, and for missing messages and system messages', async () => {
      const { id } = await owner.send(channel.id, 'not pinned');
      const ben = instance.api.as(member);
      expect(await ben.request('PUT', on(id))).toMatchObject({ status: 403, body: { code: 50013 } });
      expect(await ben.request('DELETE', on(id))).toMatchObject({ status: 403, body: { code: 50013 } });
      expect(await owner.request('PUT', on('7'))).toMatchObject({ status: 404, body: { code: 10008 } });
      const stranger = instance.api.as(await instance.api.register(someName('eve')));
      expect(await stranger.request('PUT', on(id))).toMatchObject({ status: 404, body: { code: 10003 } });
      expect(await stranger.request('GET', `/channels/${channel.id}/pins`)).toMatchObject({ status: 404 });
      const told = (await owner.history(channel.id)).find((message) => message.content === '')!;
      expect(await owner.request('PUT', on(told.id))).toMatchObject({ status: 403, body: { code: 50021 } });
      const edited = await owner.request('PATCH', `/channels/${channel.id}/messages/${told.id}`, { content: 'words' });
      expect(edited).toMatchObject({ status: 403, body: { code: 50021 } });
      expect(await owner.request('GET', `/channels/${channel.id}/messages/pins?before=soon`)).toMatchObject({
        status: 400,
        body: {
          code: 50035,
          errors: {
            before: { _errors: [{ message: 'Must be an ISO 8601 time with its zone, such as 2024-05-01T12:00:00Z.' }] },
          },
        },
      });
    });

    it('set twice at once are one pin; 50 set at once are all kept, each with its own time', async () => {
      const message = await owner.send(channel.id, 'twice');
      await Promise.all([owner.ask('PUT', on(message.id)), owner.ask('PUT', on(message.id))]);
      const sent = await Promise.all(Array.from({ length: 48 }, (_, n) => owner.send(channel.id, `many ${n}`)));
      await Promise.all(sent.map(({ id }) => owner.ask('PUT', on(id))));
      const { items, has_more } = await board('?limit=50');
      expect(has_more).toBe(false);
      expect(new Set(items.map(({ pinned_at }) => pinned_at)).size).toBe(50);
      expect(new Set(items.map(({ message: { id } }) => id)).size).toBe(50);
    });

    it.runIf(restarts)(
      'are set once under one command id, also after kill -9; the id for another message is refused',
      async () => {
        const [message, other] = [await owner.send(channel.id, 'once'), await owner.send(channel.id, 'not this one')];
        const pin = async (message_id: string) => {
          const socket = await GatewayClient.identified(instance.url, owner.account!.token);
          const answer = await socket.command({
            type: 'message.pin',
            id: 'pin-once',
            channel_id: channel.id,
            message_id,
          });
          await socket.cut();
          return answer;
        };
        const told = async () =>
          ((await owner.history(channel.id)) as unknown as Payload[]).filter(
            (d) => d.message_reference?.message_id === message.id,
          );
        expect(await pin(message.id)).toMatchObject({ ok: true });
        expect(await pin(message.id)).toMatchObject({ ok: true });
        await instance.restart();
        expect(await pin(message.id)).toMatchObject({ ok: true });
        expect(await pin(other.id)).toMatchObject({ ok: false, error: { code: 40060 } });
        expect(await told()).toHaveLength(1);
      },
    );

    it('are open to both people in a direct channel', async () => {
      const direct = await owner.openDirect(member.id);
      const { id } = await owner.send(direct.id, 'between us');
      const socket = await GatewayClient.identified(instance.url, owner.account!.token);
      const ben = instance.api.as(member);
      await ben.ask('PUT', `/channels/${direct.id}/messages/pins/${id}`);
      expect((await socket.dispatch('CHANNEL_PINS_UPDATE')).d).not.toHaveProperty('guild_id');
      expect(await owner.ask('GET', `/channels/${direct.id}/pins`)).toMatchObject([{ id, pinned: true }]);
      await socket.cut();
    });
  });
