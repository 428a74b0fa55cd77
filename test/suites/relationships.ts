/** Friends and blocks, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, type Message, someName } from '../support/api.ts';
import { GatewayClient, type Payload } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

interface Relationship {
  readonly id: string;
  readonly type: number;
  readonly user: { readonly id: string; readonly username: string };
  readonly since: string;
}

const FRIEND = 1;
const BLOCKED = 2;
const INCOMING = 3;
const OUTGOING = 4;

export const relationshipsSuite = (start: StartInstance) =>
  describe('relationships', () => {
    let instance: Instance;
    let ada: Api;
    let ben: Api;
    let guild: { readonly id: string; readonly channel: Channel };

    beforeAll(async () => {
      instance = await start({
        PARLEY_LIMIT_SEND: 'off',
        PARLEY_LIMIT_GLOBAL: 'off',
        PARLEY_LIMIT_RELATIONSHIP: 'off',
      });
      ada = instance.api.as(await instance.api.register(someName('ada')));
      guild = await ada.createGuild('Friends');
      const [account] = (await joined(ada, guild, 'ben', 1)) as [Account];
      ben = instance.api.as(account);
    });

    afterAll(() => instance?.close());

    const idOf = (api: Api) => api.account!.id;
    const relate = (by: Api, to: Api, body: object = {}) =>
      by.request('PUT', `/users/@me/relationships/${idOf(to)}`, body);
    const end = (by: Api, to: Api) => by.request('DELETE', `/users/@me/relationships/${idOf(to)}`);
    const listed = (by: Api) => by.ask<readonly Relationship[]>('GET', '/users/@me/relationships');
    const relations = async (by: Api) => (await listed(by)).map(({ id, type }) => ({ id, type }));
    const connect = (api: Api) => GatewayClient.identified(instance.url, api.account!.token);
    const about = (api: Api, type: number) => (d: Payload) => d.id === idOf(api) && d.type === type;

    it('begin with a request, are told to both at once and in READY, and end for both', async () => {
      const [hers, his] = [await connect(ada), await connect(ben)];
      expect((await relate(ada, ben)).status).toBe(204);
      await hers.dispatch('RELATIONSHIP_ADD', about(ben, OUTGOING));
      expect((await his.dispatch('RELATIONSHIP_ADD', about(ada, INCOMING))).d).toMatchObject({
        ...{ nickname: null, user: { id: idOf(ada) } },
      });
      expect(await relations(ada)).toEqual([{ id: idOf(ben), type: OUTGOING }]);
      await expect.poll(() => relations(ben)).toEqual([{ id: idOf(ada), type: INCOMING }]);

      expect(await his.command({ type: 'relationship.set', user_id: idOf(ada) })).toMatchObject({ ok: true });
      await hers.dispatch('RELATIONSHIP_ADD', about(ben, FRIEND));
      const again = await connect(ada);
      expect((await again.dispatch('READY')).d.relationships).toMatchObject([
        { id: idOf(ben), type: FRIEND, user: { id: idOf(ben) } },
      ]);

      expect((await end(ben, ada)).status).toBe(204);
      await hers.dispatch('RELATIONSHIP_REMOVE', about(ben, FRIEND));
      await his.dispatch('RELATIONSHIP_REMOVE', about(ada, FRIEND));
      await expect.poll(() => relations(ada)).toEqual([]);
      for (const one of [hers, his, again]) await one.cut();
    });

    it('are told on a resume', async () => {
      const his = await connect(ben);
      await relate(ada, ben);
      await his.dispatch('RELATIONSHIP_ADD', about(ada, INCOMING));
      await his.cut();
      await end(ada, ben);
      const resumed = await GatewayClient.resumed(instance.url, ben.account!.token, his.session());
      await resumed.dispatch('RELATIONSHIP_REMOVE', about(ada, INCOMING));
      await resumed.cut();
    });

    it('that are blocks allow no direct message, no mention, no request, and are told to nobody else', async () => {
      const direct = await ada.openDirect(idOf(ben));
      const kept = (await ben.send(direct.id, 'hello')) as Message;
      const his = await connect(ben);
      const hers = await connect(ada);
      const blocking = { type: 'relationship.set', user_id: idOf(ben), kind: BLOCKED };
      expect(await hers.command(blocking)).toMatchObject({ ok: true });
      await hers.cut();
      await expect
        .poll(async () => (await ben.request('POST', `/channels/${direct.id}/messages`, { content: 'x' })).status)
        .toBe(403);
      for (const by of [ada, ben])
        expect((await by.request('POST', `/channels/${direct.id}/messages`, { content: 'x' })).body).toMatchObject({
          code: 50007,
        });
      const edit = await ben.request('PATCH', `/channels/${direct.id}/messages/${kept.id}`, { content: 'read this' });
      expect(edit.body).toMatchObject({ code: 50007 });
      expect((await ben.request('POST', `/channels/${direct.id}/typing`)).body).toMatchObject({ code: 50007 });
      const reaction = `/channels/${direct.id}/messages/${kept.id}/reactions/${encodeURIComponent('👍')}/@me`;
      expect((await ben.request('PUT', reaction)).body).toMatchObject({ code: 90001 });
      expect((await ben.request('DELETE', `/channels/${direct.id}/messages/${kept.id}`)).status).toBe(204);
      expect((await relate(ben, ada)).body).toMatchObject({ code: 80001 });
      expect(await relations(ben)).toEqual([]);

      const mentioned = await ben.send(guild.channel.id, `<@${idOf(ada)}>`);
      expect(mentioned).toMatchObject({ mentions: [] });
      const said = await ada.send(guild.channel.id, 'here');
      const reply = { content: 'you?', message_reference: { message_id: said.id } };
      const replied = () => ben.request('POST', `/channels/${guild.channel.id}/messages`, reply);
      expect((await replied()).body).toMatchObject({ mentions: [] });

      expect((await end(ada, ben)).status).toBe(204);
      await expect
        .poll(async () => (await ben.request('POST', `/channels/${direct.id}/messages`, { content: 'x' })).status)
        .toBe(200);
      expect(his.dispatches('RELATIONSHIP_ADD')).toEqual([]);
      await his.cut();
    });

    it('are refused with oneself, with bots, with nobody, to bots, and in other forms', async () => {
      expect((await relate(ada, ada)).body).toMatchObject({ code: 80003 });
      expect((await ada.request('PUT', '/users/@me/relationships/4194304000001', {})).body).toMatchObject({
        code: 10013,
      });
      expect((await relate(ada, ben, { type: 3 })).body).toMatchObject({ code: 50035, errors: { type: {} } });
      const bot = await ada.createBot('helper');
      expect((await ada.request('PUT', `/users/@me/relationships/${bot.id}`, {})).body).toMatchObject({ code: 80002 });
      expect(
        (await instance.api.as(bot).request('PUT', `/users/@me/relationships/${idOf(ada)}`, {})).body,
      ).toMatchObject({ code: 20001 });
      expect((await instance.api.request('GET', '/users/@me/relationships')).status).toBe(401);
    });
  });
