/** Group direct messages, end to end: socket and HTTP, views, delivery, resume, unread counts. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, type Message, someName } from '../support/api.ts';
import { GatewayClient, type Payload } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

interface Group extends Channel {
  readonly owner_id: string;
  readonly recipients: readonly { readonly id: string }[];
}

interface ReadState {
  readonly channel_id: string;
  readonly unread_count: number;
  readonly mention_count: number;
}

export const groupsSuite = (start: StartInstance) =>
  describe('groups', () => {
    let instance: Instance;
    let ada: Api;
    let ben: Api;
    let cat: Api;
    let dan: Api;

    beforeAll(async () => {
      instance = await start({
        ...{ PARLEY_LIMIT_SEND: 'off', PARLEY_LIMIT_GLOBAL: 'off', PARLEY_LIMIT_DM_CREATE: 'off' },
      });
      ada = instance.api.as(await instance.api.register(someName('ada')));
      const guild = await ada.createGuild('Common');
      const others = (await joined(ada, guild, 'other', 3)) as [Account, Account, Account];
      [ben, cat, dan] = others.map((one) => instance.api.as(one)) as [Api, Api, Api];
    });

    afterAll(() => instance?.close());

    const idOf = (api: Api) => api.account!.id;
    const connect = (api: Api) => GatewayClient.identified(instance.url, api.account!.token);
    const create = (...others: readonly Api[]) =>
      ada.ask<Group>('POST', '/users/@me/channels', { recipients: others.map(idOf) });
    const recipient = (group: Group, whom: Api) => `/channels/${group.id}/recipients/${idOf(whom)}`;
    const of = (group: Group) => (d: Payload) => (d.channel_id ?? d.id) === group.id;
    const groupsOf = async (api: Api) =>
      (await api.ask<readonly Group[]>('GET', '/users/@me/channels')).filter(({ type }) => type === 3);
    const othersIn = ({ recipients }: Group) => recipients.map(({ id }) => id);
    const stateOf = async (api: Api, group: Group) =>
      (await api.ask<readonly ReadState[]>('GET', '/users/@me/read-states')).find(
        ({ channel_id }) => channel_id === group.id,
      );

    it('begin, grow, are named, handed on and left, as their people see it live', async () => {
      const [hers, his, theirs] = [await connect(ada), await connect(ben), await connect(dan)];
      const group = await create(ben, cat);
      expect(group).toMatchObject({ type: 3, name: null, icon: null, owner_id: idOf(ada), last_message_id: null });
      expect(othersIn(group)).toEqual([idOf(ben), idOf(cat)]);
      const begun = (await his.dispatch('CHANNEL_CREATE', of(group))).d as Group;
      expect(othersIn(begun)).toEqual([idOf(ada), idOf(cat)]);
      await ada.send(group.id, 'only us');
      await his.dispatch('MESSAGE_CREATE', (d) => d.content === 'only us');

      expect((await ben.request('PUT', recipient(group, dan))).status).toBe(204);
      const entered = (await theirs.dispatch('CHANNEL_CREATE', of(group))).d as Group;
      expect(othersIn(entered)).toEqual([idOf(ada), idOf(ben), idOf(cat)]);
      const added = await theirs.dispatch('MESSAGE_CREATE', (d) => d.channel_id === group.id);
      expect(added.d).toMatchObject({ type: 1, content: '', author: { id: idOf(ben) }, mentions: [{ id: idOf(dan) }] });
      expect((await hers.dispatch('CHANNEL_RECIPIENT_ADD', of(group))).d.user.id).toBe(idOf(dan));
      await expect.poll(() => stateOf(dan, group)).toMatchObject({ unread_count: 1, mention_count: 1 });
      await expect.poll(async () => (await dan.history(group.id)).map(({ type }) => type)).toEqual([1, 0]);

      const renamed = await dan.ask<Group>('PATCH', `/channels/${group.id}`, { name: 'The four' });
      expect(renamed).toMatchObject({ name: 'The four', owner_id: idOf(ada) });
      expect((await his.dispatch('CHANNEL_UPDATE', of(group))).d).toMatchObject({ name: 'The four', type: 3 });
      expect((await his.dispatch('MESSAGE_CREATE', (d) => d.type === 4)).d).toMatchObject({ content: 'The four' });
      const handed = await hers.command({ type: 'channel.edit', channel_id: group.id, owner: idOf(cat) });
      expect(handed).toMatchObject({ ok: true, result: { owner_id: idOf(cat) } });

      await expect.poll(async () => (await cat.request('DELETE', recipient(group, dan))).status).toBe(204);
      expect((await theirs.dispatch('CHANNEL_DELETE', of(group))).d).toMatchObject({ id: group.id, type: 3 });
      expect((await his.dispatch('CHANNEL_RECIPIENT_REMOVE', of(group))).d.user.id).toBe(idOf(dan));
      expect((await his.dispatch('MESSAGE_CREATE', (d) => d.type === 2)).d).toMatchObject({
        author: { id: idOf(cat) },
        mentions: [{ id: idOf(dan) }],
      });
      const last = await ada.send(group.id, 'without dan');
      await his.dispatch('MESSAGE_CREATE', (d) => d.id === last.id);
      expect((await cat.request('DELETE', `/channels/${group.id}`)).body).toMatchObject({ id: group.id });
      await his.dispatch('CHANNEL_UPDATE', (d) => d.id === group.id && d.owner_id === idOf(ada));
      await expect.poll(async () => (await groupsOf(ben)).map(othersIn)).toEqual([[idOf(ada)]]);
      const again = await connect(ben);
      const { private_channels: privates } = (await again.dispatch('READY')).d;
      expect(privates.find(of(group))).toMatchObject({ name: 'The four', owner_id: idOf(ada) });

      // Whoever is out hears nothing more, and is told that there is no such channel.
      const heard = theirs.dispatches('MESSAGE_CREATE').filter(({ d }) => d.channel_id === group.id);
      expect(heard.map(({ d }) => d.type)).toEqual([1, 4]);
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['GET', '/messages', undefined],
        ['POST', '/messages', { content: 'still here' }],
        ['POST', `/messages/${last.id}/ack`, {}],
        ['PATCH', '', { name: 'mine' }],
        ['DELETE', '', undefined],
      ] as const)
        expect(await dan.request(method, `/channels/${group.id}${path}`, body), `${method} ${path}`).toMatchObject({
          ...{ status: 404, body: { code: 10003 } },
        });
      expect(await dan.request('PUT', recipient(group, dan))).toMatchObject({ status: 404 });
      for (const one of [hers, his, theirs, again]) await one.cut();
    });

    it('are on a resume what they are live, and nothing is told to whoever was taken out', async () => {
      const [left, joins] = [await create(ben, cat), await create(ben, dan)];
      const his = await connect(cat);
      await his.cut();
      await ada.send(left.id, 'before');
      await ada.ask('DELETE', recipient(left, cat));
      const secret = await ada.send(left.id, 'without cat');
      const early = await ada.send(joins.id, 'not yet with cat');
      await ada.ask('PUT', recipient(joins, cat));
      const late = await ada.send(joins.id, 'with cat');
      // Whoever comes and goes hears of neither.
      const passing = await create(ben, dan);
      await ada.ask('PUT', recipient(passing, cat));
      await ada.ask('DELETE', recipient(passing, cat));

      const resumed = await GatewayClient.resumed(instance.url, cat.account!.token, his.session());
      expect(resumed.dispatches('CHANNEL_DELETE').map(({ d }) => d.id)).toContain(left.id);
      expect(resumed.dispatches('CHANNEL_CREATE').map(({ d }) => d.id)).toEqual([joins.id]);
      const told = resumed.dispatches('MESSAGE_CREATE').map(({ d }) => d as Message);
      expect(told.map(({ id }) => id)).not.toContain(secret.id);
      expect(told.map(({ id }) => id)).not.toContain(early.id);
      expect(told.map(({ type }) => type)).toEqual([1, 0]);
      expect(told.at(-1)!.id).toBe(late.id);
      const next = await ada.send(joins.id, 'live again');
      await resumed.dispatch('MESSAGE_CREATE', (d) => d.id === next.id);
      await resumed.cut();
    });

    it('take people who are friends or share a guild, and nobody whom one of the two blocks', async () => {
      const eve = instance.api.as(await instance.api.register(someName('eve')));
      const group = await create(ben, cat);
      const add = (whom: Api, by = ada) => by.request('PUT', recipient(group, whom));
      expect((await add(eve)).body).toMatchObject({ code: 50007 });
      const refused = await ada.request('POST', '/users/@me/channels', { recipients: [idOf(ben), idOf(eve)] });
      expect(refused.body).toMatchObject({ code: 50007 });
      const relate = (by: Api, to: Api, body: object) => by.ask('PUT', `/users/@me/relationships/${idOf(to)}`, body);
      await relate(ada, eve, {});
      await relate(eve, ada, {});
      await expect.poll(async () => (await add(eve)).status).toBe(204);
      await relate(dan, ada, { type: 2 });
      await expect.poll(async () => (await add(dan)).body).toMatchObject({ code: 50007 });
      expect((await add(eve, dan)).body).toMatchObject({ code: 10003 });
      await ada.ask('DELETE', recipient(group, eve));
      await ada.ask('DELETE', `/users/@me/relationships/${idOf(eve)}`);
    });

    it('refuse bots, other forms, and what only other channels have', async () => {
      const bot = await ada.createBot('helper');
      const group = await create(ben, cat);
      const make = (body: object, by = ada) => by.request('POST', '/users/@me/channels', body);
      expect((await make({ recipients: [idOf(ben), bot.id] })).body).toMatchObject({ code: 50007 });
      expect((await make({ recipients: [idOf(ben), idOf(cat)] }, instance.api.as(bot))).body).toMatchObject({
        code: 20001,
      });
      expect((await make({ recipients: [] })).body).toMatchObject({ code: 50035, errors: { recipient_id: {} } });
      for (const field of ['access_tokens', 'nicks'])
        expect((await make({ [field]: ['x'] })).body).toMatchObject({ code: 50035, errors: { [field]: {} } });
      const many = Array.from({ length: 10 }, (_, n) => String(4_194_304_000_001 + n));
      expect((await make({ recipients: many })).body).toMatchObject({ code: 30004 });
      expect((await make({ recipients: [idOf(ben)] })).body).toMatchObject({ type: 1 });
      const edit = (body: object) => ada.request('PATCH', `/channels/${group.id}`, body);
      expect((await edit({ icon: 'data:' })).body).toMatchObject({ code: 50035, errors: { icon: {} } });
      expect((await edit({ topic: 'x' })).body).toMatchObject({ code: 50024 });
      expect((await edit({ owner: idOf(dan) })).body).toMatchObject({ code: 10013 });
      const pair = await ada.openDirect(idOf(ben));
      expect((await ada.request('PUT', recipient(pair as Group, cat))).body).toMatchObject({ code: 50024 });
      expect((await ada.request('DELETE', `/channels/${pair.id}`)).body).toMatchObject({ code: 50003 });
    });
  });
