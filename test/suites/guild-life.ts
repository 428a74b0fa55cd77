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
      await expect.poll(() => ben.ask('GET', path)).toMatchObject(shown);
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

    it('delete a channel: it ends for its members, live and on resume, and nothing more happens in it', async () => {
      const doomed = await owner.ask<Channel>('POST', `/guilds/${guildId}/channels`, { name: 'doomed' });
      const path = `/channels/${doomed.id}`;
      const { id: said } = await owner.send(doomed.id, 'the last words');
      const invite = await owner.ask<{ code: string }>('POST', `${path}/invites`, {});
      const away = await GatewayClient.identified(instance.url, member.token);
      const before = away.session();
      await away.cut();
      const socket = await GatewayClient.identified(instance.url, member.token);
      expect(await ben.request('DELETE', path)).toMatchObject({ status: 403, body: { code: 50013 } });
      const mine = await GatewayClient.identified(instance.url, owner.account!.token);
      const command = { type: 'channel.delete', id: 'doom', channel_id: doomed.id };
      for (let n = 0; n < 2; n += 1)
        expect(await mine.command(command)).toMatchObject({ ok: true, result: { id: doomed.id, name: 'doomed' } });
      await mine.cut();
      expect((await socket.dispatch('CHANNEL_DELETE')).d).toMatchObject({ id: doomed.id, guild_id: guildId });
      await socket.cut();
      const resumed = await GatewayClient.resumed(instance.url, member.token, before);
      expect(resumed.dispatches('CHANNEL_DELETE').map(({ d }) => d.id)).toEqual([doomed.id]);
      await resumed.cut();
      for (const [method, on, body] of [
        ['GET', path],
        ['GET', `${path}/messages`],
        ['GET', `${path}/messages/${said}`],
        ['POST', `${path}/messages`, { content: 'too late' }],
        ['PATCH', path, { name: 'other' }],
        ['DELETE', path],
      ] as const)
        expect(await owner.request(method, on, body)).toMatchObject({ status: 404, body: { code: 10003 } });
      const listed = await ben.ask<Channel[]>('GET', `/guilds/${guildId}/channels`);
      expect(listed.map(({ id }) => id)).toEqual([channel.id]);
      const joining = await stranger.request('POST', `/invites/${invite.code}`);
      expect(joining).toMatchObject({ status: 404, body: { code: 10006 } });
      const [direct, fresh] = [
        await owner.openDirect(member.id),
        await GatewayClient.identified(instance.url, member.token),
      ];
      expect(await owner.request('DELETE', `/channels/${direct.id}`)).toMatchObject({ body: { code: 50003 } });
      const guild = fresh.dispatches('GUILD_CREATE').find(({ d }) => d.id === guildId)!.d as { channels: Channel[] };
      expect(guild.channels.map(({ id }) => id)).toEqual([channel.id]);
      await fresh.cut();
    });

    it('see who joins, said once in the first channel of a new guild, unless they turn it off', async () => {
      const fresh = await owner.createGuild('Welcoming', true);
      const mine = await GatewayClient.identified(instance.url, owner.account!.token);
      const code = await owner.invite(fresh.channel.id);
      for (const key of ['join', 'join'])
        expect((await ben.request('POST', `/invites/${code}`, undefined, { 'idempotency-key': key })).status).toBe(200);
      const said = await mine.dispatch('MESSAGE_CREATE', (d) => d.type === 7);
      expect(said.d).toMatchObject({
        ...{ channel_id: fresh.channel.id, content: '', mentions: [], mention_everyone: false },
        author: { id: member.id },
      });
      await owner.ask('PATCH', `/guilds/${fresh.id}`, { system_channel_flags: 1 });
      await stranger.join(code);
      const last = await owner.send(fresh.channel.id, 'welcome');
      await expect
        .poll(async () =>
          (await owner.history(fresh.channel.id)).map(({ id, type }) => (id === last.id ? 'last' : type)),
        )
        .toEqual(['last', 7]);
      await mine.cut();
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
      await expect.poll(() => ben.ask('GET', path)).toMatchObject(change);
      const mine = await GatewayClient.identified(instance.url, owner.account!.token);
      const command = { type: 'guild.edit', id: 'about', guild_id: guildId, description: null };
      expect(await mine.command(command)).toMatchObject({ ok: true, result: { name: change.name, description: null } });
      await mine.cut();
      expect(await ben.request('PATCH', path, change)).toMatchObject({ status: 403, body: { code: 50013 } });
      expect(await stranger.request('PATCH', path, change)).toMatchObject({ status: 404, body: { code: 10004 } });
    });
  });
