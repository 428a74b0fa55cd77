/** Roles, overwrites and private channels end to end: commands, views, delivery, and what is hidden from whom. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Permission } from '../../domain/permissions.ts';
import { type Account, type Api, type Channel, joined, someName } from '../support/api.ts';
import { ALL_INTENTS, GatewayClient, type Payload } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

interface Role {
  readonly id: string;
  readonly name: string;
  readonly permissions: string;
  readonly position: number;
}

const { viewChannel, manageRoles, sendMessages, banMembers } = Permission;

export const rolesSuite = (start: StartInstance) =>
  describe('roles and overwrites', () => {
    let instance: Instance;
    let owner: Api;
    let accounts: readonly [Account, Account];
    let ann: Api;
    let ben: Api;
    let guildId: string;
    let channel: Channel;

    beforeAll(async () => {
      instance = await start({ PARLEY_LIMIT_GLOBAL: 'off' });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      const guild = await owner.createGuild('Roles');
      ({ channel, id: guildId } = guild);
      accounts = (await joined(owner, guild, 'member', 2)) as unknown as [Account, Account];
      [ann, ben] = accounts.map((account) => instance.api.as(account)) as [Api, Api];
    });

    afterAll(() => instance?.close());

    const createRole = (body: object = {}, by = owner) => by.ask<Role>('POST', `/guilds/${guildId}/roles`, body);
    const give = (role: Role, to: Account, by = owner) =>
      by.request('PUT', `/guilds/${guildId}/members/${to.id}/roles/${role.id}`);
    const take = (role: Role, from: Account, by = owner) =>
      by.request('DELETE', `/guilds/${guildId}/members/${from.id}/roles/${role.id}`);
    const roles = async (by = owner) => (await by.ask<{ roles: Role[] }>('GET', `/guilds/${guildId}`)).roles;
    const overwrite = (of: Channel, id: string, body: object, by = owner) =>
      by.request('PUT', `/channels/${of.id}/permissions/${id}`, body);
    const codeOf = (answer: { body: unknown }) => (answer.body as { code: number }).code;

    it('are created, changed, moved and deleted, and told', async () => {
      const listener = await GatewayClient.identified(instance.url, accounts[0].token);
      const role = await createRole({ name: 'Helpers', colors: { primary_color: 255 }, permissions: '0', hoist: true });
      expect(role).toMatchObject({ name: 'Helpers', color: 255, hoist: true, permissions: '0', position: 1 });
      const created = await listener.dispatch('GUILD_ROLE_CREATE');
      expect(created.d).toEqual({ guild_id: guildId, role });
      const path = `/guilds/${guildId}/roles/${role.id}`;
      const edited = await owner.ask<Role>('PATCH', path, { name: 'Friends', color: 16, mentionable: null });
      expect(edited).toMatchObject({ name: 'Friends', color: 16, colors: { primary_color: 16 }, hoist: true });
      expect((await listener.dispatch('GUILD_ROLE_UPDATE')).d.role).toEqual(edited);
      expect(await owner.ask('PATCH', path, { name: 'Friends' })).toEqual(edited);
      const moved = await owner.ask<Role[]>('PATCH', `/guilds/${guildId}/roles`, [{ id: role.id, position: 3 }]);
      expect(moved.map(({ id, position }) => [id, position])).toEqual([
        [guildId, 0],
        [role.id, 3],
      ]);
      await listener.dispatch('GUILD_ROLE_UPDATE', (d) => d.role.position === 3);
      expect((await give(role, accounts[0])).status).toBe(204);
      const own = await listener.dispatch('GUILD_MEMBER_UPDATE');
      expect(own.d).toMatchObject({ guild_id: guildId, roles: [role.id], user: { id: accounts[0].id } });
      const member = () => owner.ask<{ roles: string[] }>('GET', `/guilds/${guildId}/members/${accounts[0].id}`);
      expect((await member()).roles).toEqual([role.id]);
      expect((await owner.request('DELETE', path)).status).toBe(204);
      expect((await listener.dispatch('GUILD_ROLE_DELETE')).d).toEqual({ guild_id: guildId, role_id: role.id });
      expect((await member()).roles).toEqual([]);
      expect((await roles()).map(({ id }) => id)).toEqual([guildId]);
      expect(codeOf(await owner.request('DELETE', path))).toBe(10011);
      expect(codeOf(await owner.request('DELETE', `/guilds/${guildId}/roles/${guildId}`))).toBe(50028);
      await listener.cut();
    });

    it('may be managed below one’s own highest, with no more than one has', async () => {
      const outsider = instance.api.as(await instance.api.register(someName('eve')));
      expect(codeOf(await outsider.request('POST', `/guilds/${guildId}/roles`, {}))).toBe(10004);
      expect(codeOf(await ann.request('POST', `/guilds/${guildId}/roles`, {}))).toBe(50013);
      const high = await createRole({ name: 'high', permissions: '0' });
      const manager = await createRole({ name: 'manager', permissions: `${manageRoles}` });
      await owner.ask('PATCH', `/guilds/${guildId}/roles`, [
        { id: manager.id, position: 2 },
        { id: high.id, position: 5 },
      ]);
      await give(manager, accounts[0]);
      const low = await createRole({ name: 'low' }, ann);
      expect(codeOf(await ann.request('POST', `/guilds/${guildId}/roles`, { permissions: `${banMembers}` }))).toBe(
        50013,
      );
      const edit = (role: Role, body: object) => ann.request('PATCH', `/guilds/${guildId}/roles/${role.id}`, body);
      expect((await edit(low, { name: 'lower' })).status).toBe(200);
      expect(codeOf(await edit(low, { permissions: `${banMembers}` }))).toBe(50013);
      for (const role of [high, manager]) {
        expect(codeOf(await edit(role, { name: 'mine' }))).toBe(50013);
        expect(codeOf(await give(role, accounts[1], ann))).toBe(50013);
      }
      const raise = [{ id: low.id, position: 3 }];
      expect(codeOf(await ann.request('PATCH', `/guilds/${guildId}/roles`, raise))).toBe(50013);
      expect((await give(low, accounts[1], ann)).status).toBe(204);
      expect((await take(low, accounts[1], ann)).status).toBe(204);
      expect(codeOf(await give(low, { ...accounts[1], id: '1' }, ann))).toBe(10007);
      expect(codeOf(await overwrite(channel, high.id, { type: 0, deny: '0' }, ann))).toBe(50013);
      expect(codeOf(await overwrite(channel, low.id, { type: 0, allow: `${banMembers}` }, ann))).toBe(50013);
      expect(codeOf(await overwrite(channel, low.id, { type: 0 }, ben))).toBe(50013);
      expect((await overwrite(channel, low.id, { type: 0, allow: null, deny: `${sendMessages}` }, ann)).status).toBe(
        204,
      );
      expect((await ann.request('DELETE', `/channels/${channel.id}/permissions/${low.id}`)).status).toBe(204);
      expect(codeOf(await ann.request('DELETE', `/channels/${channel.id}/permissions/${low.id}`))).toBe(10009);
      await take(manager, accounts[0]);
    });

    it('make a channel private: it begins and ends for those who gain and lose it, and for nobody else', async () => {
      const insider = await createRole({ name: 'insider', permissions: '0' });
      const room = await owner.createChannel(guildId, { name: 'room' });
      await overwrite(room, insider.id, { type: 0, allow: `${viewChannel}`, deny: '0' });
      await give(insider, accounts[0]);
      const listen = (account: Account) => GatewayClient.identified(instance.url, account.token, ALL_INTENTS);
      const [inside, outside, other] = (await Promise.all([accounts[0], accounts[1], accounts[1]].map(listen))) as [
        GatewayClient,
        GatewayClient,
        GatewayClient,
      ];
      await other.cut();
      const about = (d: Payload) => d.id === room.id;

      expect((await overwrite(room, guildId, { type: 0, allow: '0', deny: `${viewChannel}` })).status).toBe(204);
      const lost = await outside.dispatch('CHANNEL_DELETE', about);
      expect(lost.d).toMatchObject({ id: room.id, guild_id: guildId, permission_overwrites: [] });
      await inside.dispatch('CHANNEL_UPDATE', about);
      expect(codeOf(await ben.request('GET', `/channels/${room.id}/messages`))).toBe(10003);
      expect(codeOf(await ben.request('PUT', `/channels/${room.id}/permissions/${guildId}`, { type: 0 }))).toBe(10003);
      const secret = await owner.send(room.id, 'among us');
      await inside.dispatch('MESSAGE_CREATE', (d) => d.id === secret.id);

      await give(insider, accounts[1]);
      const gained = await outside.dispatch('CHANNEL_CREATE', about);
      expect(gained.d).toMatchObject({ last_message_id: secret.id });
      const heard = await owner.send(room.id, 'welcome');
      await outside.dispatch('MESSAGE_CREATE', (d) => d.id === heard.id);
      expect(outside.frames.some(({ t, d }) => t === 'MESSAGE_CREATE' && d.id === secret.id)).toBe(false);

      // Whoever was away learns the same on resuming.
      const away = { session_id: other.sessionId!, seq: other.seq };
      const back = await GatewayClient.resumed(instance.url, accounts[1].token, away);
      const toldOnResume = back.frames.filter(({ d }) => d?.id === room.id || d?.channel_id === room.id);
      expect(toldOnResume.map(({ t }) => t)).toEqual(['CHANNEL_DELETE', 'CHANNEL_CREATE', 'MESSAGE_CREATE']);

      await owner.ask('DELETE', `/guilds/${guildId}/roles/${insider.id}`);
      await owner.send(room.id, 'alone');
      const end = await owner.send(channel.id, 'to all');
      for (const client of [inside, outside, back]) {
        await client.dispatch('CHANNEL_DELETE', about);
        await client.dispatch('MESSAGE_CREATE', (d) => d.id === end.id);
        expect(client.frames.some(({ d }) => d?.content === 'alone')).toBe(false);
      }
      for (const client of [inside, outside, back]) await client.cut();
    });

    it('are asked for in a private channel as one that does not exist', async () => {
      const hidden = { id: guildId, type: 0, allow: '0', deny: `${viewChannel}` };
      const room = await owner.createChannel(guildId, { name: 'hidden', permission_overwrites: [hidden] });
      const listed = await ann.ask<Channel[]>('GET', `/guilds/${guildId}/channels`);
      expect(listed.some(({ id }) => id === room.id)).toBe(false);
      for (const [method, path] of [
        ['GET', `/channels/${room.id}`],
        ['POST', `/channels/${room.id}/typing`],
        ['POST', `/channels/${room.id}/invites`],
        ['DELETE', `/channels/${room.id}/permissions/${guildId}`],
      ] as const)
        expect(codeOf(await ann.request(method, path, method === 'GET' ? undefined : {}))).toBe(10003);
    });
  });
