/** What moderators do to messages, end to end: socket and HTTP, the log, the views, delivery and resume. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

export const moderatedMessagesSuite = (start: StartInstance) =>
  describe('moderators', () => {
    let instance: Instance;
    let owner: Api;
    let member: Account;
    let ben: Api;
    let channel: Channel;
    let guildId: string;

    beforeAll(async () => {
      instance = await start({ PARLEY_LIMIT_SEND: 'off', PARLEY_LIMIT_PIN: 'off', PARLEY_LIMIT_GLOBAL: 'off' });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      const guild = await owner.createGuild('Kept tidy');
      ({ channel, id: guildId } = guild);
      [member] = (await joined(owner, guild, 'ben', 1)) as [Account];
      ben = instance.api.as(member);
    });

    afterAll(() => instance?.close());

    const sent = async (count: number, by = owner) => {
      const ids: string[] = [];
      for (let n = 0; n < count; n += 1) ids.push((await by.send(channel.id, `one of ${count}`)).id);
      return ids;
    };
    const bulkDelete = (messages: readonly string[], by = owner, on = channel.id) =>
      by.request('POST', `/channels/${on}/messages/bulk-delete`, { messages });

    it('delete messages at once: one dispatch, and the history, the pins and the counts are without them', async () => {
      const [first, kept, last] = (await sent(3, ben)) as [string, string, string];
      await owner.ask('PUT', `/channels/${channel.id}/messages/pins/${last}`);
      const mentioning = await owner.send(channel.id, `<@${member.id}>`);
      const socket = await GatewayClient.identified(instance.url, member.token);
      expect((await bulkDelete([last, mentioning.id, first])).status).toBe(204);
      const told = await socket.dispatch('MESSAGE_DELETE_BULK');
      expect(told.d).toMatchObject({ ids: [first, last, mentioning.id], channel_id: channel.id, guild_id: guildId });
      expect(socket.dispatches('CHANNEL_PINS_UPDATE').at(-1)!.d).toMatchObject({ last_pin_timestamp: null });
      expect(socket.dispatches('MESSAGE_UPDATE')).toEqual([]);
      const left = (await owner.history(channel.id)).map(({ id }) => id);
      expect(left).toContain(kept);
      for (const id of [first, last, mentioning.id]) {
        expect(left).not.toContain(id);
        expect((await owner.request('GET', `/channels/${channel.id}/messages/${id}`)).status).toBe(404);
      }
      expect(await owner.ask('GET', `/channels/${channel.id}/pins`)).toEqual([]);
      const mentions = async () => {
        const states = await ben.ask<{ channel_id: string; mention_count: number }[]>('GET', '/users/@me/read-states');
        return states.find((state) => state.channel_id === channel.id)?.mention_count;
      };
      await expect.poll(mentions).toBe(0);
      // What is gone already is passed over.
      expect((await bulkDelete([first, last])).status).toBe(204);
      await socket.cut();
    });

    it('delete messages at once over the socket, and a client that resumes reads none of their texts', async () => {
      const socket = await GatewayClient.identified(instance.url, member.token);
      const before = socket.session();
      await socket.cut();
      const ids = await sent(2);
      const mine = await GatewayClient.identified(instance.url, owner.account!.token);
      const command = { type: 'message.bulk-delete', id: 'tidy', channel_id: channel.id, messages: ids };
      for (let n = 0; n < 2; n += 1) expect(await mine.command(command)).toMatchObject({ ok: true, result: null });
      expect(await mine.command({ ...command, messages: ['1', '2'] })).toMatchObject({ error: { code: 40060 } });
      await mine.cut();
      const resumed = await GatewayClient.resumed(instance.url, member.token, before);
      const created = resumed.dispatches('MESSAGE_CREATE').map(({ d }) => [d.id, d.content]);
      expect(created).toEqual(ids.map((id) => [id, '']));
      expect(resumed.dispatches('MESSAGE_DELETE_BULK').map(({ d }) => d.ids)).toEqual([ids]);
      await resumed.cut();
    });

    it("take reactions back: somebody's, all with one emoji, all of them", async () => {
      const { id } = await owner.send(channel.id, 'liked');
      const on = `/channels/${channel.id}/messages/${id}/reactions`;
      const [thumb, heart] = ['👍', '❤️'].map(encodeURIComponent) as [string, string];
      const react = async () => {
        for (const api of [owner, ben]) for (const emoji of [thumb, heart]) await api.ask('PUT', `${on}/${emoji}/@me`);
      };
      // On another node the timelines may hold it a little later than it is told.
      const shown = async () => {
        const message = await ben.ask<{ reactions?: { emoji: { name: string }; count: number }[] }>(
          'GET',
          `/channels/${channel.id}/messages/${id}`,
        );
        return (message.reactions ?? []).map(({ emoji, count }) => `${count} ${emoji.name}`).toSorted();
      };
      const reactors = async () => (await ben.ask<{ id: string }[]>('GET', `${on}/${thumb}`)).map((user) => user.id);
      const socket = await GatewayClient.identified(instance.url, member.token);
      await react();
      for (const path of [`${on}/${thumb}/${owner.account!.id}`, `${on}/${thumb}`, on])
        expect(await ben.request('DELETE', path)).toMatchObject({ status: 403, body: { code: 50013 } });

      await owner.ask('DELETE', `${on}/${thumb}/${member.id}`);
      const removed = await socket.dispatch('MESSAGE_REACTION_REMOVE');
      expect(removed.d).toMatchObject({ user_id: member.id, message_id: id, emoji: { name: '👍' } });
      await expect.poll(shown).toEqual(['1 👍', '2 ❤️']);
      await expect.poll(reactors).toEqual([owner.account!.id]);

      await react();
      await owner.ask('DELETE', `${on}/${thumb}`);
      const cleared = await socket.dispatch('MESSAGE_REACTION_REMOVE_EMOJI');
      const place = { channel_id: channel.id, message_id: id, guild_id: guildId };
      expect(cleared.d).toMatchObject({ ...place, emoji: { id: null, name: '👍' } });
      await expect.poll(shown).toEqual(['2 ❤️']);
      await expect.poll(reactors).toEqual([]);

      await react();
      const acting = await GatewayClient.identified(instance.url, owner.account!.token);
      const command = { type: 'reaction.clear', channel_id: channel.id, message_id: id };
      expect(await acting.command(command)).toMatchObject({ ok: true, result: null });
      await acting.cut();
      expect((await socket.dispatch('MESSAGE_REACTION_REMOVE_ALL')).d).toMatchObject(place);
      await expect.poll(shown).toEqual([]);
      await ben.ask('PUT', `${on}/${thumb}/@me`);
      await expect.poll(shown).toEqual(['1 👍']);
      expect((await owner.request('DELETE', `${on}/nonsense`)).body).toMatchObject({ code: 10014 });
      await socket.cut();
    });

    it("hide the embeds of other people's messages, and nothing else of them", async () => {
      const { id } = await ben.send(channel.id, { content: 'look', embeds: [{ title: 'a page' }] });
      const on = `/channels/${channel.id}/messages/${id}`;
      const socket = await GatewayClient.identified(instance.url, member.token);
      const hidden = { id, content: 'look', embeds: [], flags: 4, edited_timestamp: null, author: { id: member.id } };
      expect(await owner.ask('PATCH', on, { flags: 4 })).toMatchObject(hidden);
      expect((await socket.dispatch('MESSAGE_UPDATE')).d).toMatchObject(hidden);
      expect(await ben.ask('GET', on)).toMatchObject(hidden);
      expect(await owner.ask('PATCH', on, { flags: 0 })).toMatchObject({ embeds: [{ title: 'a page' }], flags: 0 });
      expect(await owner.request('PATCH', on, { content: 'mine' })).toMatchObject({
        status: 403,
        body: { code: 50005 },
      });
      const mine = await owner.send(channel.id, 'not yours');
      const bens = await ben.request('PATCH', `/channels/${channel.id}/messages/${mine.id}`, { flags: 4 });
      expect(bens).toMatchObject({ status: 403, body: { code: 50013 } });
      await socket.cut();
    });

    it('read what a message said before it was edited, until it is deleted', async () => {
      const { id } = await ben.send(channel.id, 'first');
      const on = `/channels/${channel.id}/messages/${id}`;
      await owner.send(channel.id, 'between');
      for (const content of ['second', 'third']) await ben.ask('PATCH', on, { content });
      await owner.ask('PATCH', on, { flags: 4 });
      const { versions, next_sequence } = await owner.ask<{
        versions: { content: string; sequence: number; timestamp: string }[];
        next_sequence: number | null;
      }>('GET', `${on}/history`);
      expect(versions.map(({ content }) => content)).toEqual(['first', 'second', 'third']);
      expect(next_sequence).toBeNull();
      const rest = await owner.ask('GET', `${on}/history?from_sequence=${versions[1]!.sequence}`);
      expect(rest).toMatchObject({ versions: versions.slice(1) });
      expect(await ben.request('GET', `${on}/history`)).toMatchObject({ status: 403, body: { code: 50013 } });
      const stranger = instance.api.as(await instance.api.register(someName('eve')));
      expect(await stranger.request('GET', `${on}/history`)).toMatchObject({ status: 404, body: { code: 10003 } });
      await ben.ask('DELETE', on);
      expect(await owner.request('GET', `${on}/history`)).toMatchObject({ status: 404, body: { code: 10008 } });
    });

    it('delete 2 to 100 messages at once, each named once, none too old, and nobody else does', async () => {
      const ids = await sent(2, ben);
      expect(await bulkDelete(ids, ben)).toMatchObject({ status: 403, body: { code: 50013 } });
      const stranger = instance.api.as(await instance.api.register(someName('eve')));
      expect(await bulkDelete(ids, stranger)).toMatchObject({ status: 404, body: { code: 10003 } });
      const direct = await owner.openDirect(member.id);
      expect(await bulkDelete(ids, owner, direct.id)).toMatchObject({ status: 403, body: { code: 50003 } });
      const problem = async (messages: string[]) => {
        const { status, body } = await bulkDelete(messages);
        expect(status).toBe(400);
        return body;
      };
      const many = Array.from({ length: 101 }, (_, n) => String(n + 1));
      for (const count of [[], ids.slice(1), many])
        expect(await problem(count)).toMatchObject({
          code: 50035,
          errors: { messages: { _errors: [{ code: 'BASE_TYPE_BAD_LENGTH' }] } },
        });
      expect(await problem([ids[0]!, ids[0]!])).toMatchObject({ code: 50035 });
      expect(await problem([ids[0]!, '1'])).toMatchObject({ code: 50034 });
      expect((await owner.history(channel.id, '?limit=2')).map(({ id }) => id).toReversed()).toEqual(ids);
    });
  });
