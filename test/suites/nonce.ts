import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parleyError } from '../../schemas/errors.ts';
import { type Api, type Channel, type Message, PASSWORD, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

/** @param again whether the server is restarted more than once */
export const nonceSuite = (start: StartInstance, again = true) =>
  describe('the same id', () => {
    let instance: Instance;
    let person: Api;
    let channel: Channel;
    const said = { content: 'once', nonce: 'the-same-nonce', enforce_nonce: true };
    const send = () => person.send(channel.id, said);

    beforeAll(async () => {
      instance = await start();
      person = instance.api.as(await instance.api.register(someName('ada')));
      channel = (await person.createGuild('Once')).channel;
    });

    afterAll(() => instance?.close());

    const times = async (content: string) =>
      (await person.history(channel.id, '?limit=100')).filter((message) => message.content === content).length;

    it('used 100 times at once as a nonce over HTTP makes one message', async () => {
      const answers = await Promise.all(Array.from({ length: 100 }, send));
      expect(new Set(answers.map((message) => message.id)).size).toBe(1);
      expect(await times('once')).toBe(1);
    });

    it('still makes one message after a restart', async () => {
      const [first] = await person.history(channel.id, '?limit=1');
      await instance.restart();
      expect((await send()).id).toBe(first!.id);
      expect(await times('once')).toBe(1);
    });

    it('in an Idempotency-Key makes one of everything that a POST makes', async () => {
      const other = instance.api.as(await instance.api.register(someName('ben')));
      const { id: guildId } = await person.createGuild('Keyed');
      const invite = await person.invite(channel.id);
      const posts: (readonly [Api, string, object])[] = [
        [person, `/channels/${channel.id}/messages`, { content: 'keyed' }],
        [person, '/guilds', { name: 'Once more' }],
        [person, `/guilds/${guildId}/channels`, { name: 'more' }],
        [person, `/channels/${channel.id}/invites`, { max_uses: 3 }],
        [person, '/applications', { name: 'Once' }],
        [other, `/invites/${invite}`, {}],
        [person, '/users/@me/channels', { recipient_id: other.account!.id }],
      ];
      for (const [who, path, body] of posts) {
        const post = (content: object = body) =>
          who.request('POST', path, content, { 'idempotency-key': `key-${path}` });
        const answers = [...(await Promise.all([post(), post(), post()])), await post()];
        const made = answers.map((answer) => {
          const { id, code } = answer.body as { id?: string; code?: string };
          return `${answer.status} ${id ?? code}`;
        });
        expect(new Set(made).size, `${path} ${made}`).toBe(1);
        expect(answers[0]!.status, path).toBeLessThan(300);
      }
      expect(await times('keyed')).toBe(1);
      expect(await person.ask<Channel[]>('GET', `/guilds/${guildId}/channels`)).toHaveLength(2);
    });

    it('in an Idempotency-Key is refused for something else, and so is a key that is none', async () => {
      const post = (key: string, content: string) =>
        person.request('POST', `/channels/${channel.id}/messages`, { content }, { 'idempotency-key': key });
      expect((await post('k', 'one')).status).toBe(200);
      expect(await post('k', 'two')).toMatchObject({ status: 409, body: { code: parleyError('keyReused').code } });
      for (const key of ['', 'two words', 'x'.repeat(256)])
        expect(await post(key, 'three')).toMatchObject({ status: 400, body: { code: 50035 } });
    });

    it('in an Idempotency-Key makes one account, for whoever knows its password', async () => {
      const username = someName('cleo');
      const register = (password: string) =>
        instance.api.request<{ user: { id: string } }>(
          'POST',
          '/auth/register',
          { username, password },
          { 'idempotency-key': username },
        );
      const first = await register('correct horse');
      expect(first).toMatchObject({ status: 201, body: { user: { username } } });
      expect(await register('correct horse')).toMatchObject({ status: 201, body: { user: first.body.user } });
      expect((await register('other horse')).status).toBe(409);
    });

    it('in an Idempotency-Key changes a password once, and the token that this ended may ask again', async () => {
      const dora = instance.api.as(await instance.api.register(someName('dora')));
      const change = (password: string, key: Record<string, string>) =>
        dora.request<{ token: string }>('POST', '/auth/password', { password: PASSWORD, new_password: password }, key);
      const keyed = (password: string) => change(password, { 'idempotency-key': 'next' });
      const answers = [await keyed('battery staple'), await keyed('battery staple')];
      for (const { status, body } of answers) {
        expect(status).toBe(200);
        const { token } = body;
        await instance.api.as({ ...dora.account!, authorization: `Bearer ${token}` }).ask('GET', '/users/@me');
      }
      expect((await keyed('something else')).status).toBe(409);
      expect((await change('battery staple', {})).status).toBe(401);
      expect((await dora.request('GET', '/users/@me')).status).toBe(401);
    });

    it('returns the first message when its content differs over HTTP', async () => {
      const answer = await person.send(channel.id, { ...said, content: 'something else' });
      expect(answer.content).toBe('once');
      expect(await times('something else')).toBe(0);
    });

    it('as a nonce counts beside the id of a command, and is none', async () => {
      const socket = await GatewayClient.identified(instance.url, person.account!.token);
      const to = { type: 'message.send', channel_id: channel.id };
      const by = (id: string) =>
        socket.command({ ...to, id, content: 'by two ids', nonce: 'another-nonce', enforce_nonce: true });
      const [first, again] = [await by('i1'), await by('i2')];
      expect([first.ok, (again.result as Message).id]).toEqual([true, (first.result as Message).id]);
      expect(await times('by two ids')).toBe(1);
      await socket.command({ ...to, id: '1', content: 'under id 1' });
      const other = await person.send(channel.id, { content: 'under nonce 1', nonce: 1, enforce_nonce: true });
      expect(other.content).toBe('under nonce 1');
      await socket.cut();
    });

    it('used 100 times at once over a socket makes one message', async () => {
      const socket = await GatewayClient.identified(instance.url, person.account!.token);
      const command = { type: 'message.send', id: 'one-id', channel_id: channel.id, content: 'once by socket' };
      const answered = () => socket.frames.filter((frame) => frame.op === 101 && frame.d.id === 'one-id');
      for (let i = 0; i < 100; i += 1) socket.write(100, command);
      await socket.until(() => answered().length === 100, '100 results');
      const results = answered().map((frame) => frame.d as { result?: Message });
      expect(new Set(results.map((each) => each.result?.id)).size).toBe(1);
      expect(await times('once by socket')).toBe(1);
      await socket.cut();
    });

    it.runIf(again)('is refused over a socket when its content differs, even after a restart', async () => {
      const other = { type: 'message.send', id: 'one-id', channel_id: channel.id, content: 'something else' };
      for (const round of ['before', 'after']) {
        const socket = await GatewayClient.identified(instance.url, person.account!.token);
        const refusal = await socket.command(other);
        expect(refusal).toMatchObject({ ok: false, error: { code: parleyError('keyReused').code } });
        await socket.cut();
        if (round === 'before') await instance.restart();
      }
      expect(await times('something else')).toBe(0);
    });
  });
