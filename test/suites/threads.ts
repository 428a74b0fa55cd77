/** Threads end to end: socket and HTTP, the log, the views, delivery and resume. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, type Message, someName } from '../support/api.ts';
import { GatewayClient, type Payload } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

interface Thread extends Channel {
  readonly message_count: number;
  readonly total_message_sent: number;
  readonly member_count: number;
  readonly thread_metadata: { readonly archived: boolean; readonly archive_timestamp: string };
}

interface Threads {
  readonly threads: readonly Thread[];
  readonly members: readonly { readonly id: string; readonly user_id: string }[];
  readonly has_more?: boolean;
}

export const threadsSuite = (start: StartInstance) =>
  describe('threads', () => {
    let instance: Instance;
    let owner: Api;
    let member: Account;
    let ben: Api;
    let other: Account;
    let channel: Channel;
    let guildId: string;

    beforeAll(async () => {
      instance = await start({
        ...{ PARLEY_LIMIT_SEND: 'off', PARLEY_LIMIT_GLOBAL: 'off' },
        ...{ PARLEY_LIMIT_THREAD_CREATE: 'off', PARLEY_LIMIT_THREAD_MEMBER: 'off' },
      });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      const guild = await owner.createGuild('Threads');
      ({ channel, id: guildId } = guild);
      [member, other] = (await joined(owner, guild, 'ben', 2)) as [Account, Account];
      ben = instance.api.as(member);
    });

    afterAll(() => instance?.close());

    const about = (id: string) => (d: Payload) => d.id === id;
    const active = (by: Api) => by.ask<Threads>('GET', `/guilds/${guildId}/threads/active`);
    const create = (by: Api, name: string, type = 11) =>
      by.ask<Thread>('POST', `/channels/${channel.id}/threads`, { name, type });

    it('begin at a message, are told to everybody, and show on the message, in lists and to fresh sessions', async () => {
      const socket = await GatewayClient.identified(instance.url, member.token);
      const before = socket.session();
      const { id } = await owner.send(channel.id, 'worth a thread');
      const path = `/channels/${channel.id}/messages/${id}/threads`;
      const thread = await owner.ask<Thread>('POST', path, { name: 'begun', auto_archive_duration: 60 });
      const shown = {
        ...{ id, type: 11, guild_id: guildId, parent_id: channel.id, owner_id: owner.account!.id, name: 'begun' },
        ...{ message_count: 0, total_message_sent: 0, member_count: 1 },
      };
      expect(thread).toMatchObject({
        ...shown,
        member: { id, user_id: owner.account!.id },
        thread_metadata: { archived: false, locked: false, auto_archive_duration: 60 },
      });
      expect(await owner.request('POST', path, { name: 'again' })).toMatchObject({
        status: 400,
        body: { code: 160004 },
      });

      const created = await socket.dispatch('THREAD_CREATE', about(id));
      expect(created.d).toMatchObject({ ...shown, newly_created: true });
      expect(created.d).not.toHaveProperty('member');
      const update = await socket.dispatch('MESSAGE_UPDATE', about(id));
      expect(update.d).toMatchObject({ flags: 32, thread: { id, name: 'begun' }, content: 'worth a thread' });

      await ben.send(id, 'in it');
      expect((await socket.dispatch('MESSAGE_CREATE', (d) => d.channel_id === id)).d).toMatchObject({
        content: 'in it',
      });
      expect((await socket.dispatch('THREAD_MEMBER_UPDATE')).d).toMatchObject({ id, user_id: member.id });
      await socket.cut();

      const counted = { ...shown, message_count: 1, total_message_sent: 1, member_count: 2 };
      await expect.poll(() => ben.ask('GET', `/channels/${id}`)).toMatchObject(counted);
      const history = await ben.ask<Message[]>('GET', `/channels/${id}/messages`);
      expect(history).toMatchObject([
        { content: 'in it' },
        {
          type: 21,
          message_reference: { channel_id: channel.id, message_id: id, guild_id: guildId },
          referenced_message: { id, content: 'worth a thread' },
        },
      ]);
      expect(await active(ben)).toMatchObject({ threads: [counted], members: [{ id, user_id: member.id }] });
      const readBy = async (who: Api) =>
        (await who.ask<{ channel_id: string }[]>('GET', '/users/@me/read-states')).filter(
          (one) => one.channel_id === id,
        );
      expect(await readBy(ben)).toMatchObject([{ read_ordinal: 2, unread_count: 0 }]);
      expect(await readBy(instance.api.as(other))).toEqual([]);
      expect(await owner.ask('GET', `/guilds/${guildId}/channels`)).toHaveLength(1);
      const fresh = await GatewayClient.identified(instance.url, member.token);
      expect(fresh.dispatches('GUILD_CREATE')[0]!.d.threads).toMatchObject([
        { ...counted, member: { user_id: member.id } },
      ]);
      await fresh.cut();

      const resumed = await GatewayClient.resumed(instance.url, member.token, before);
      const names = resumed.frames.flatMap(({ t }) => (t === null || t === 'PARLEY_POSITION' ? [] : [t]));
      expect(names).toEqual([
        ...['MESSAGE_CREATE', 'THREAD_CREATE', 'MESSAGE_UPDATE', 'THREAD_MEMBERS_UPDATE'],
        ...['THREAD_MEMBER_UPDATE', 'MESSAGE_CREATE', 'RESUMED'],
      ]);
      await resumed.cut();
    });

    it('begin at none, with a message in the parent that names them; are archived, and active again once somebody writes', async () => {
      const thread = await create(owner, 'free');
      const [told] = await owner.ask<Payload[]>('GET', `/channels/${channel.id}/messages?limit=1`);
      expect(told).toMatchObject({
        ...{ type: 18, content: 'free' },
        message_reference: { channel_id: thread.id, guild_id: guildId },
      });
      const socket = await GatewayClient.identified(instance.url, member.token);
      const path = `/channels/${thread.id}`;
      expect(await owner.ask('PATCH', path, { archived: true })).toMatchObject({ thread_metadata: { archived: true } });
      expect((await socket.dispatch('THREAD_UPDATE', about(thread.id))).d).toMatchObject({
        thread_metadata: { archived: true },
      });
      await expect.poll(async () => (await active(ben)).threads.map(({ id }) => id)).not.toContain(thread.id);
      const archived = await ben.ask<Threads>('GET', `/channels/${channel.id}/threads/archived/public`);
      expect(archived).toMatchObject({ threads: [{ id: thread.id }], has_more: false });
      await ben.send(thread.id, 'awake');
      expect((await socket.dispatch('MESSAGE_CREATE', (d) => d.channel_id === thread.id)).d).toMatchObject({
        content: 'awake',
      });
      await expect.poll(async () => (await active(ben)).threads.map(({ id }) => id)).toContain(thread.id);
      await socket.cut();
    });

    it('that are private exist for those in them alone', async () => {
      const socket = await GatewayClient.identified(instance.url, member.token);
      const outside = await GatewayClient.identified(instance.url, other.token);
      const thread = await create(owner, 'secret', 12);
      expect(thread).toMatchObject({ type: 12, thread_metadata: { invitable: true } });
      await owner.send(thread.id, 'among us');
      expect(await ben.request('GET', `/channels/${thread.id}`)).toMatchObject({ status: 404, body: { code: 10003 } });
      expect((await active(ben)).threads.map(({ id }) => id)).not.toContain(thread.id);
      await owner.ask('PUT', `/channels/${thread.id}/thread-members/${member.id}`);
      expect((await socket.dispatch('THREAD_CREATE', about(thread.id))).d).toMatchObject({
        member: { user_id: member.id },
      });
      await expect.poll(async () => (await ben.request('GET', `/channels/${thread.id}`)).status).toBe(200);
      await owner.send(thread.id, 'welcome');
      await socket.dispatch('MESSAGE_CREATE', (d) => d.content === 'welcome');
      await owner.ask('DELETE', `/channels/${thread.id}/thread-members/${member.id}`);
      expect((await socket.dispatch('THREAD_DELETE', about(thread.id))).d).toMatchObject({ parent_id: channel.id });
      expect((await ben.request('GET', `/channels/${thread.id}`)).status).toBe(404);
      await owner.send(thread.id, 'alone again');
      await owner.send(channel.id, 'to all');
      await outside.dispatch('MESSAGE_CREATE', (d) => d.content === 'to all');
      await socket.dispatch('MESSAGE_CREATE', (d) => d.content === 'to all');
      expect(outside.frames.filter(({ d }) => d?.id === thread.id || d?.channel_id === thread.id)).toEqual([]);
      expect(socket.dispatches('MESSAGE_CREATE').map(({ d }) => d.content)).not.toContain('alone again');
      await socket.cut();
      await outside.cut();
    });
  });
