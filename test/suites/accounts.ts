/** What a person does to their own account, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, joined, PASSWORD, someName } from '../support/api.ts';
import { ALL_INTENTS, GatewayClient, type Payload } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

/** The intent for what happens to members. */
const MEMBERS = 1 << 1;

interface Sessions {
  readonly user_sessions: readonly {
    readonly id_hash: string;
    readonly approx_last_used_time: string;
    readonly created_at: string;
    readonly expires_at: string;
    readonly client_info: { readonly platform: string | null };
  }[];
}

export const accountsSuite = (start: StartInstance) =>
  describe('an account', () => {
    let instance: Instance;

    beforeAll(async () => {
      instance = await start();
    });

    afterAll(() => instance?.close());

    it('gets a new password as libraries ask for it: everything else of the person ends with 4004', async () => {
      const account = await instance.api.register(someName('ada'));
      const ada = instance.api.as(account);
      const socket = await GatewayClient.identified(instance.url, account.token);
      const change = (password?: string | null, new_password = 'battery staple') =>
        ada.request<{ id: string; token: string }>('PATCH', '/users/@me', { password, new_password });
      expect(await change('not the password')).toMatchObject({
        status: 400,
        body: { code: 50035, errors: { password: { _errors: [{ code: 'PASSWORD_DOES_NOT_MATCH' }] } } },
      });
      for (const missing of [undefined, null])
        expect(await change(missing)).toMatchObject({
          status: 400,
          body: { code: 50035, errors: { password: { _errors: [{ code: 'BASE_TYPE_REQUIRED' }] } } },
        });
      expect(await change(PASSWORD, 'short')).toMatchObject({ status: 400, body: { code: 50035 } });
      const { status, body } = await change(PASSWORD);
      expect({ status, body }).toMatchObject({ status: 200, body: { id: account.id, username: account.username } });
      expect(await socket.closed()).toBe(4004);
      expect((await ada.request('GET', '/users/@me')).status).toBe(401);
      expect((await change(PASSWORD)).status).toBe(401);
      const anew = instance.api.as({ ...account, authorization: `Bearer ${body.token}` });
      await anew.ask('GET', '/users/@me');
      const login = (password: string) =>
        instance.api.request('POST', '/login', { username: account.username, password });
      expect([(await login(PASSWORD)).status, (await login('battery staple')).status]).toEqual([400, 200]);
    });

    it('has a profile, which its own devices and those who share a guild are told of', async () => {
      const account = await instance.api.register(someName('ada'));
      const ada = instance.api.as(account);
      const guild = await ada.createGuild('Profiles');
      const [member] = (await joined(ada, guild, 'ben', 1)) as [Account];
      const outsider = await instance.api.register(someName('eve'));
      const [own, seen, other] = await Promise.all(
        [account, member, outsider].map((who) =>
          GatewayClient.identified(instance.url, who.token, ALL_INTENTS | MEMBERS),
        ),
      );
      const asked = { global_name: 'Ada', bio: 'I count.', pronouns: 'she', accent_color: 0x12_34_56 };
      const edited = await ada.request('PATCH', '/users/@me', { ...asked, custom_status: { text: 'counting' } });
      const self = { id: account.id, ...asked, custom_status: { text: 'counting' } };
      expect(edited).toMatchObject({ status: 200, body: self });
      expect(edited.body).not.toHaveProperty('token');
      expect((await own!.dispatch('USER_UPDATE')).d).toMatchObject(self);
      const user = { id: account.id, global_name: 'Ada', username: account.username };
      const about = (d: Payload) => d.user.id === account.id;
      const update = await seen!.dispatch('GUILD_MEMBER_UPDATE', about);
      expect(update.d).toMatchObject({ guild_id: guild.id, user, roles: [] });
      expect(update.d.user).not.toHaveProperty('bio');

      const ben = instance.api.as(member);
      await expect
        .poll(() => ben.ask('GET', `/users/${account.id}`))
        .toMatchObject({ ...user, accent_color: 0x12_34_56 });
      expect(await ben.ask('GET', `/users/${account.id}/profile`)).toMatchObject({
        user: { ...user, bio: 'I count.' },
        user_profile: { bio: 'I count.', pronouns: 'she', accent_color: 0x12_34_56 },
        custom_status: { text: 'counting' },
        mutual_guilds: [{ id: guild.id }],
      });
      const eve = instance.api.as(outsider);
      expect(await eve.ask('GET', `/users/${account.id}/profile`)).toMatchObject({ user, mutual_guilds: [] });

      // What is left out stays; null and the empty text empty.
      const [before, beforeOwn] = [seen!.session(), own!.session()];
      await Promise.all([seen!.cut(), own!.cut()]);
      const again = await ada.ask('PATCH', '/users/@me/profile', { bio: '', custom_status: null, global_name: null });
      expect(again).toMatchObject({ global_name: null, bio: '', custom_status: null, pronouns: 'she' });
      const resumed = await GatewayClient.resumed(instance.url, member.token, before);
      expect((await resumed.dispatch('GUILD_MEMBER_UPDATE', about)).d).toMatchObject({ user: { global_name: null } });
      const resumedOwn = await GatewayClient.resumed(instance.url, account.token, beforeOwn);
      expect((await resumedOwn.dispatch('USER_UPDATE')).d).toMatchObject({ bio: '', pronouns: 'she' });
      expect(resumed.dispatches('USER_UPDATE')).toEqual([]);
      expect(other!.dispatches('GUILD_MEMBER_UPDATE')).toEqual([]);
      expect(other!.dispatches('USER_UPDATE')).toEqual([]);

      const command = { type: 'user.edit', id: 'edit-once', pronouns: 'they' };
      expect(await resumedOwn.command(command)).toMatchObject({ ok: true, result: { pronouns: 'they' } });
      expect(await resumedOwn.command(command)).toMatchObject({ ok: true, result: { pronouns: 'they' } });
      await instance.restart();
      expect(await ada.ask('GET', '/users/@me')).toMatchObject({ pronouns: 'they', accent_color: 0x12_34_56 });
      await Promise.all([resumed, resumedOwn, other!].map((one) => one.cut()));
    });

    it('signs in after it was signed out everywhere and changed its profile', async () => {
      const account = await instance.api.register(someName('ada'));
      const { username } = account;
      const signIn = async () => {
        const { token } = await instance.api.ask<{ token: string }>('POST', '/login', { username, password: PASSWORD });
        return instance.api.as({ ...account, token, authorization: `Bearer ${token}` });
      };
      await instance.api.as(account).ask('POST', '/auth/logout/everywhere');
      await (await signIn()).ask('PATCH', '/users/@me', { bio: 'back' });
      expect(await (await signIn()).ask('GET', '/users/@me')).toMatchObject({ bio: 'back' });
    });

    it('has a profile that is refused where it does not fit', async () => {
      const ada = instance.api.as(await instance.api.register(someName('ada')));
      for (const body of [
        { global_name: '' },
        { global_name: 'x'.repeat(33) },
        { bio: 'x'.repeat(191) },
        { pronouns: 'x'.repeat(41) },
        { accent_color: -1 },
        { accent_color: 0x1_00_00_00 },
        { custom_status: { text: '' } },
        { custom_status: 'busy' },
        { username: 'other' },
        { avatar: 'data:image/png;base64,' },
        { bio: 7 },
      ])
        expect(await ada.request('PATCH', '/users/@me', body), JSON.stringify(body)).toMatchObject({
          status: 400,
          body: { code: 50035 },
        });
      for (const path of ['/users/@me', '/users/@me/profile'])
        expect((await instance.api.request('PATCH', path, { bio: 'x' })).status).toBe(401);
      expect((await instance.api.request('GET', '/users/1/profile')).status).toBe(401);
      expect(await ada.request('GET', '/users/1/profile')).toMatchObject({ status: 404, body: { code: 10013 } });
    });

    it('lists where it is signed in, and signs out there', async () => {
      const account = await instance.api.register(someName('ada'));
      const ada = instance.api.as(account);
      const { username } = account;
      const login = await instance.api.request<{ token: string }>(
        'POST',
        '/login',
        { username, password: PASSWORD },
        { 'user-agent': 'phone of Ada' },
      );
      const { token } = login.body;
      const socket = await GatewayClient.identified(instance.url, token);
      const sessions = () => ada.ask<Sessions>('GET', '/auth/sessions');
      await expect.poll(async () => (await sessions()).user_sessions.length).toBe(2);
      const { user_sessions } = await sessions();
      const phone = user_sessions.find(({ client_info }) => client_info.platform === 'phone of Ada')!;
      const times = [phone.created_at, phone.approx_last_used_time, phone.expires_at];
      for (const time of times) expect(Date.parse(time)).not.toBeNaN();
      const eve = instance.api.as(await instance.api.register(someName('eve')));
      const end = (who: Api, ids: unknown) => who.request('POST', '/auth/sessions/logout', { session_id_hashes: ids });
      expect((await end(eve, [phone.id_hash])).status).toBe(204);
      expect((await ada.as({ ...account, authorization: `Bearer ${token}` }).request('GET', '/users/@me')).status).toBe(
        200,
      );
      expect((await end(ada, [phone.id_hash, 'nothing'])).status).toBe(204);
      expect(await socket.closed()).toBe(4004);
      expect((await ada.as({ ...account, authorization: `Bearer ${token}` }).request('GET', '/users/@me')).status).toBe(
        401,
      );
      expect((await sessions()).user_sessions).toHaveLength(1);
      for (const wrong of [undefined, 'all', [7]]) expect((await end(ada, wrong)).status).toBe(400);
      expect((await end(instance.api, [])).status).toBe(401);
      expect((await instance.api.request('GET', '/auth/sessions')).status).toBe(401);
    });

    it('of a bot has no password to change', async () => {
      const owner = instance.api.as(await instance.api.register(someName('ben')));
      const bot = instance.api.as(await owner.createBot('Robot'));
      const passwords = { password: PASSWORD, new_password: 'battery staple' };
      expect(await bot.request('PATCH', '/users/@me', passwords)).toMatchObject({ status: 403, body: { code: 20001 } });
    });
  });
