/** What administrators do with accounts, and the end of an account, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, joined, type Message, PASSWORD, someName } from '../support/api.ts';
import { ALL_INTENTS, GatewayClient, type Payload } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { LIMITS_OFF } from '../support/server.ts';

/** The intent for what happens to members. */
const MEMBERS = 1 << 1;

/** @param lookThrough throws if anything of these texts is in a file of the instance. It may end the instance */
export const administeredAccountsSuite = (
  start: StartInstance,
  lookThrough: (instance: Instance, texts: readonly string[]) => Promise<void>,
) =>
  describe('an administered account', () => {
    let instance: Instance;
    let first: Account;
    let admin: Api;

    beforeAll(async () => {
      instance = await start({ ...LIMITS_OFF });
      first = instance.administrator ?? (await instance.api.register(someName('root')));
      admin = instance.api.as(first);
    });

    afterAll(() => instance?.close());

    const login = ({ username }: Account, password = PASSWORD) =>
      instance.api.request<{ token: string }>('POST', '/login', { username, password });

    it('is shut at once, and opened again', async () => {
      const account = await instance.api.register(someName('ada'));
      const owner = instance.api.as(account);
      const bot = await owner.createBot('Robot');
      for (const who of [account, bot]) {
        const socket = await GatewayClient.identified(instance.url, who.token);
        expect((await admin.request('PUT', `/users/${who.id}/disabled`)).status).toBe(204);
        expect(await socket.closed()).toBe(4004);
        await expect.poll(async () => (await instance.api.as(who).request('GET', '/users/@me')).status).toBe(401);
        expect((await admin.request('PUT', `/users/${who.id}/disabled`)).status).toBe(204);
      }
      expect(await login(account)).toMatchObject({ status: 403, body: { code: 20013 } });
      await instance.restart();
      expect(await login(account)).toMatchObject({ status: 403, body: { code: 20013 } });
      for (const who of [account, bot]) await admin.ask('DELETE', `/users/${who.id}/disabled`);
      expect((await login(account)).status).toBe(200);
      // A person's former token has ended, a bot's counts again.
      expect((await owner.request('GET', '/users/@me')).status).toBe(401);
      await expect.poll(async () => (await instance.api.as(bot).request('GET', '/users/@me')).status).toBe(200);
    });

    it('gets another password by a code of an administrator, which works once', async () => {
      const account = await instance.api.register(someName('ada'));
      const socket = await GatewayClient.identified(instance.url, account.token);
      const { code } = await admin.ask<{ code: string }>('POST', `/users/${account.id}/password-reset`);
      const reset = (given: unknown, new_password: unknown = 'battery staple') =>
        instance.api.request<{ token: string }>('POST', '/auth/reset', { code: given, new_password });
      for (const [given, password] of [
        ['wrong', undefined],
        [7, undefined],
        [code, 'short'],
      ])
        expect((await reset(given, password)).status).toBe(400);
      const results = await Promise.all([reset(code), reset(code)]);
      expect(results.map(({ status }) => status).sort()).toEqual([200, 400]);
      expect(await socket.closed()).toBe(4004);
      expect([(await login(account)).status, (await login(account, 'battery staple')).status]).toEqual([400, 200]);
      expect((await reset(code)).status).toBe(400);
    });

    it('may administer the server too, until it is removed; the last administrator stays', async () => {
      const account = await instance.api.register(someName('ada'));
      const ada = instance.api.as(account);
      const invites = async () => (await ada.request('GET', '/registration-invites')).status;
      expect(await invites()).toBe(403);
      expect(await admin.request('DELETE', `/administrators/${first.id}`)).toMatchObject({ status: 400 });
      expect(await admin.request('PUT', `/users/${first.id}/disabled`)).toMatchObject({ status: 400 });
      await admin.ask('PUT', `/administrators/${account.id}`);
      await expect.poll(invites).toBe(200);
      await ada.ask('DELETE', `/administrators/${first.id}`);
      await expect.poll(async () => (await admin.request('GET', '/registration-invites')).status).toBe(403);
      expect((await admin.request('PUT', `/administrators/${first.id}`)).status).toBe(403);
      await ada.ask('PUT', `/administrators/${first.id}`);
      await admin.ask('DELETE', `/administrators/${account.id}`);
      await expect.poll(invites).toBe(403);
    });

    it('is administered by administrators alone, and every route says what is wrong', async () => {
      const account = await instance.api.register(someName('ada'));
      const ada = instance.api.as(account);
      const on = `/users/${account.id}`;
      const routes: readonly (readonly [string, string, unknown?])[] = [
        ['PUT', `${on}/disabled`],
        ['DELETE', `${on}/disabled`],
        ['DELETE', on],
        ['POST', `${on}/password-reset`],
        ['PUT', `/administrators/${account.id}`],
        ['DELETE', `/administrators/${account.id}`],
        ['GET', '/registration-invites'],
        ['POST', '/registration-invites', {}],
        ['DELETE', '/registration-invites/1'],
      ];
      for (const [method, path, body] of routes) {
        expect((await instance.api.request(method, path, body)).status, path).toBe(401);
        expect((await ada.request(method, path, body)).status, path).toBe(403);
      }
      for (const [method, path] of routes.filter(([, where]) => where.includes(account.id)))
        expect(await admin.request(method, path.replace(account.id, '1')), path).toMatchObject({
          status: 404,
          body: { code: 10013 },
        });
      const keyed = (path: string, body: object) => admin.request('POST', path, body, { 'idempotency-key': 'k' });
      const codes = [
        await keyed('/registration-invites', { max_uses: 2 }),
        await keyed('/registration-invites', { max_uses: 2 }),
      ];
      expect(codes[1]!.body).toEqual(codes[0]!.body);
      expect((await keyed('/registration-invites', { max_uses: 3 })).body).toMatchObject({ code: 40060 });
      expect((await admin.request('POST', '/registration-invites', { max_uses: -1 })).status).toBe(400);
      expect((await admin.request('DELETE', '/registration-invites/1')).status).toBe(404);
      expect((await ada.request('POST', '/users/@me/delete', { password: 'wrong' })).status).toBe(400);
      expect((await ada.request('POST', '/users/@me/delete', {})).status).toBe(400);
      expect((await instance.api.request('POST', '/users/@me/delete', { password: PASSWORD })).status).toBe(401);
    });

    it('is kept by whoever signs in before it is deleted', async () => {
      const account = await instance.api.register(someName('ada'));
      const ada = instance.api.as(account);
      const socket = await GatewayClient.identified(instance.url, account.token);
      expect((await ada.request('POST', '/users/@me/delete', { password: PASSWORD })).status).toBe(204);
      expect(await socket.closed()).toBe(4004);
      expect((await ada.request('GET', '/users/@me')).status).toBe(401);
      const back = await login(account);
      expect(back.status).toBe(200);
      const anew = instance.api.as({ ...account, authorization: `Bearer ${back.body.token}` });
      expect(await anew.ask('GET', '/users/@me')).toMatchObject({ username: account.username });
    });

    it('is not deleted while it owns a guild', async () => {
      const account = await instance.api.register(someName('ada'));
      const ada = instance.api.as(account);
      await ada.createGuild('Owned');
      const owns = { status: 400, body: { code: 40011 } };
      expect(await ada.request('POST', '/users/@me/delete', { password: PASSWORD })).toMatchObject(owns);
      expect(await admin.request('DELETE', `/users/${account.id}`)).toMatchObject(owns);
      expect((await ada.request('GET', '/users/@me')).status).toBe(200);
    });

    it('is deleted with all that was written by it, while what others said stays', async () => {
      const account = await instance.api.register(someName('gone'));
      const ada = instance.api.as(account);
      const name = account.username.toLowerCase();
      const texts = [
        'unforgettable words',
        'edited to other words',
        'a bio to forget',
        'Forgotten Name',
        name,
      ] as const;
      await ada.ask('PATCH', '/users/@me', { bio: texts[2], global_name: texts[3] });
      const guild = await admin.createGuild('Remembering');
      const [member] = (await joined(admin, guild, 'ben', 1)) as [Account];
      await ada.join(await admin.invite(guild.channel.id));
      const said = await ada.send(guild.channel.id, texts[0]);
      await ada.ask('PATCH', `/channels/${guild.channel.id}/messages/${said.id}`, { content: texts[1] });
      const ben = instance.api.as(member);
      await ben.send(guild.channel.id, { content: 'a reply', message_reference: { message_id: said.id } });
      const listener = await GatewayClient.identified(instance.url, member.token);
      const before = listener.session();
      await listener.cut();
      await ada.send(guild.channel.id, texts[0]!);

      const socket = await GatewayClient.identified(instance.url, account.token);
      const other = await GatewayClient.identified(instance.url, member.token, ALL_INTENTS | MEMBERS);
      expect((await admin.request('DELETE', `/users/${account.id}`)).status).toBe(204);
      expect(await socket.closed()).toBe(4004);
      const left = (d: Payload) => d.user.id === account.id;
      const shown = { id: account.id, username: 'deleted-user', global_name: 'Deleted User' };
      expect((await other.dispatch('GUILD_MEMBER_REMOVE', left)).d.user).toMatchObject(shown);
      await other.cut();
      await expect.poll(() => ben.ask('GET', `/users/${account.id}`)).toMatchObject(shown);
      const history = (await ben.history(guild.channel.id)) as (Message & { referenced_message?: Message })[];
      const theirs = history.filter(({ author }) => author.id === account.id);
      expect(theirs.length).toBeGreaterThan(0);
      for (const { author, content } of theirs)
        expect({ author, content }).toMatchObject({ author: shown, content: '' });
      const reply = history.find(({ content }) => content === 'a reply')!;
      expect(reply.referenced_message).toMatchObject({ id: said.id, content: '', author: shown });
      expect((await ada.request('GET', '/users/@me')).status).toBe(401);
      const resumed = await GatewayClient.resumed(instance.url, member.token, before);
      const missed = await resumed.dispatch('MESSAGE_CREATE', (d: Payload) => d.author.id === account.id);
      expect(missed.d).toMatchObject({ content: '', author: shown });
      await resumed.cut();
      expect((await login(account)).status).toBe(400);
      const profile = await ben.ask('GET', `/users/${account.id}/profile`);
      expect(JSON.stringify(profile)).not.toContain(texts[2]);
      await lookThrough(instance, texts);
    });
  });
