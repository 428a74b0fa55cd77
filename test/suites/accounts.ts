/** What a person does to their own account, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

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
      const change = (password: string, new_password = 'battery staple') =>
        ada.request<{ id: string; token: string }>('PATCH', '/users/@me', { password, new_password });
      expect(await change('not the password')).toMatchObject({
        status: 400,
        body: { code: 50035, errors: { password: { _errors: [{ code: 'PASSWORD_DOES_NOT_MATCH' }] } } },
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

    it('of a bot has no password to change', async () => {
      const owner = instance.api.as(await instance.api.register(someName('ben')));
      const bot = instance.api.as(await owner.createBot('Robot'));
      const passwords = { password: PASSWORD, new_password: 'battery staple' };
      expect(await bot.request('PATCH', '/users/@me', passwords)).toMatchObject({ status: 403, body: { code: 20001 } });
    });
  });
