/** What those who run a guild do to it, its channels and its people, end to end: socket and HTTP, views, delivery, resume. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

export const guildLifeSuite = (start: StartInstance) =>
  describe('those who run a guild', () => {
    let instance: Instance;
    let owner: Api;
    let member: Account;
    let ben: Api;
    let stranger: Api;
    let channel: Channel;
    let guildId: string;

    beforeAll(async () => {
      instance = await start({ PARLEY_LIMIT_SEND: 'off', PARLEY_LIMIT_GLOBAL: 'off' });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      stranger = instance.api.as(await instance.api.register(someName('eve')));
      const guild = await owner.createGuild('A guild');
      ({ channel, id: guildId } = guild);
      [member] = (await joined(owner, guild, 'ben', 1)) as [Account];
      ben = instance.api.as(member);
    });

    afterAll(() => instance?.close());

    it('edit a channel: its members are told, live and on resume, and nobody else may', async () => {
      const socket = await GatewayClient.identified(instance.url, member.token);
      const before = socket.session();
      const change = { name: 'renamed', topic: 'of all', nsfw: true, position: 7 };
      const shown = { id: channel.id, guild_id: guildId, ...change };
      const path = `/channels/${channel.id}`;
      const edited = await owner.request('PATCH', path, change);
      expect(edited).toMatchObject({ status: 200, body: shown });
      expect((await socket.dispatch('CHANNEL_UPDATE')).d).toMatchObject(shown);
      expect(await ben.ask('GET', path)).toMatchObject(shown);
      await socket.cut();
      const mine = await GatewayClient.identified(instance.url, owner.account!.token);
      const command = { type: 'channel.edit', id: 'topic', channel_id: channel.id, topic: null };
      for (let n = 0; n < 2; n += 1)
        expect(await mine.command(command)).toMatchObject({ ok: true, result: { ...shown, topic: null } });
      expect(await mine.command({ ...command, topic: 'other' })).toMatchObject({ error: { code: 40060 } });
      await mine.cut();
      const resumed = await GatewayClient.resumed(instance.url, member.token, before);
      expect(resumed.dispatches('CHANNEL_UPDATE').at(-1)!.d).toMatchObject({ ...shown, topic: null });
      await resumed.cut();
      expect(await ben.request('PATCH', path, change)).toMatchObject({ status: 403, body: { code: 50013 } });
      expect(await stranger.request('PATCH', path, change)).toMatchObject({ status: 404, body: { code: 10003 } });
      expect(await owner.request('PATCH', path, { name: '' })).toMatchObject({ status: 400, body: { code: 50035 } });
      const direct = await owner.openDirect(member.id);
      const onDirect = await owner.request('PATCH', `/channels/${direct.id}`, change);
      expect(onDirect).toMatchObject({ status: 403, body: { code: 50003 } });
    });

    it('edit a guild: its members are told, and nobody else may', async () => {
      const socket = await GatewayClient.identified(instance.url, member.token);
      const path = `/guilds/${guildId}`;
      const change = { name: 'Another name', description: 'What it is about' };
      expect(await owner.request('PATCH', path, change)).toMatchObject({
        status: 200,
        body: { id: guildId, ...change, roles: [{ id: guildId }] },
      });
      expect((await socket.dispatch('GUILD_UPDATE')).d).toMatchObject({ id: guildId, ...change });
      await socket.cut();
      expect(await ben.ask('GET', path)).toMatchObject(change);
      const mine = await GatewayClient.identified(instance.url, owner.account!.token);
      const command = { type: 'guild.edit', id: 'about', guild_id: guildId, description: null };
      expect(await mine.command(command)).toMatchObject({ ok: true, result: { name: change.name, description: null } });
      await mine.cut();
      expect(await ben.request('PATCH', path, change)).toMatchObject({ status: 403, body: { code: 50013 } });
      expect(await stranger.request('PATCH', path, change)).toMatchObject({ status: 404, body: { code: 10004 } });
    });
  });
