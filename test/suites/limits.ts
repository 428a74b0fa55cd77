/** The limits of an unconfigured server. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Channel, PASSWORD, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

export const limitsSuite = (start: StartInstance) =>
  describe('with default limits, a server', () => {
    let instance: Instance;
    let person: Api;
    let channel: Channel;

    beforeAll(async () => {
      instance = await start({});
      person = instance.api.as(await instance.api.register(someName('ada')));
      channel = (await person.createGuild('Limits')).channel;
    });

    afterAll(() => instance?.close());

    it('takes five messages in five seconds, and says when to send the sixth again', async () => {
      const answers = [];
      for (let i = 0; i < 6; i += 1) {
        answers.push(await person.request('POST', `/channels/${channel.id}/messages`, { content: `${i}` }));
      }
      expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200, 429]);
      const [first, last] = [answers[0]!, answers[5]!];
      expect(first.headers.get('x-ratelimit-limit')).toBe('5');
      expect(first.headers.get('x-ratelimit-remaining')).toBe('4');
      expect(first.headers.get('x-ratelimit-bucket')).toBeTruthy();
      expect(Number(first.headers.get('x-ratelimit-reset-after'))).toBeLessThanOrEqual(5);
      expect(Number(first.headers.get('x-ratelimit-reset'))).toBeGreaterThan(Date.now() / 1000 - 1);
      expect(last.body).toMatchObject({ global: false, retry_after: expect.any(Number) });
      expect((last.body as { retry_after: number }).retry_after).toBeLessThanOrEqual(5);
      expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(last.headers.get('x-ratelimit-remaining')).toBe('0');
      expect(last.headers.get('x-ratelimit-scope')).toBe('user');
    });

    it('applies the same limit to commands over a socket, without closing it', async () => {
      const { id } = await person.createChannel((await person.createGuild('Socket')).id, { name: 'socket' });
      const socket = await GatewayClient.identified(instance.url, person.account!.token);
      const results = await Promise.all(
        Array.from({ length: 6 }, (_, i) => socket.command({ type: 'message.send', channel_id: id, content: `${i}` })),
      );
      expect(results.filter((result) => result.ok)).toHaveLength(5);
      expect(results.find((result) => !result.ok)!.error!.retry_after).toBeGreaterThan(0);
      expect(socket.closeCode).toBeUndefined();
      await socket.cut();
    });

    it('takes five logins a minute for one account, successful or not', async () => {
      const { username } = await instance.api.register(someName('grace'));
      const login = (password: string) => instance.api.request('POST', '/login', { username, password });
      expect((await login(PASSWORD)).status).toBe(200);
      for (let i = 0; i < 4; i += 1) expect((await login('wrong password')).status).toBe(400);
      expect((await login(PASSWORD)).status).toBe(429);
    });

    it('closes a connection that sends more than 120 frames a minute, with code 4008', async () => {
      const socket = await GatewayClient.identified(instance.url, person.account!.token);
      for (let i = 0; i < 125; i += 1) socket.write(1, null);
      expect(await socket.closed()).toBe(4008);
    });
  });
