import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parleyError } from '../../schemas/errors.ts';
import { type Api, type Channel, type Message, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

export const nonceSuite = (start: StartInstance) =>
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

    it('returns the first message when its content differs over HTTP', async () => {
      const answer = await person.send(channel.id, { ...said, content: 'something else' });
      expect(answer.content).toBe('once');
      expect(await times('something else')).toBe(0);
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

    it('is refused over a socket when its content differs, even after a restart', async () => {
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
