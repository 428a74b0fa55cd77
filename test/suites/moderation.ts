/** What is done to members of a guild: nicknames, roles, timeouts, kicks and bans, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Permission } from '../../domain/permissions.ts';
import { type Account, type Api, type Channel, joined, someName } from '../support/api.ts';
import { ALL_INTENTS, GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

const MODERATION = ALL_INTENTS | (1 << 1) | (1 << 2);
const { kickMembers, banMembers, moderateMembers, manageNicknames, manageGuild } = Permission;
const MODERATOR = kickMembers | banMembers | moderateMembers | manageNicknames | manageGuild;

export const moderationSuite = (start: StartInstance) =>
  describe('those who moderate', () => {
    let instance: Instance;
    let owner: Api;
    let people: readonly [Account, Account, Account];
    let moderator: Api;
    let ben: Api;
    let guild: { id: string; channel: Channel };
    let outsider: Api;

    beforeAll(async () => {
      instance = await start({ PARLEY_LIMIT_GLOBAL: 'off', PARLEY_LIMIT_SEND: 'off' });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      outsider = instance.api.as(await instance.api.register(someName('eve')));
      guild = await owner.createGuild('Moderated');
      people = (await joined(owner, guild, 'member', 3)) as unknown as typeof people;
      [moderator, ben] = people.map((account) => instance.api.as(account)) as [Api, Api];
      const role = await owner.ask<{ id: string }>('POST', `/guilds/${guild.id}/roles`, {
        ...{ name: 'moderator', permissions: `${MODERATOR}` },
      });
      await owner.request('PUT', `/guilds/${guild.id}/members/${people[0].id}/roles/${role.id}`);
    });

    afterAll(() => instance?.close());

    const member = (account: Account) => `/guilds/${guild.id}/members/${account.id}`;
    const ban = (account: Account) => `/guilds/${guild.id}/bans/${account.id}`;
    const codeOf = (answer: { body: unknown }) => (answer.body as { code: number } | null)?.code;

    it('give nicknames, which everybody sees and finds', async () => {
      const listener = await GatewayClient.identified(instance.url, people[2].token, MODERATION);
      const own = await GatewayClient.identified(instance.url, people[1].token);
      const shown = await moderator.ask('PATCH', member(people[1]), { nick: 'Ｂenny' });
      expect(shown).toMatchObject({ nick: 'Ｂenny', user: { id: people[1].id }, communication_disabled_until: null });
      for (const socket of [listener, own])
        expect((await socket.dispatch('GUILD_MEMBER_UPDATE')).d).toEqual({ ...(shown as object), guild_id: guild.id });
      const search = `/guilds/${guild.id}/members/search?query=BEN&limit=5`;
      await expect.poll(() => ben.ask('GET', search)).toEqual([shown]);
      expect(await ben.ask('GET', `/users/@me/guilds/${guild.id}/member`)).toEqual(shown);
      await ben.send(guild.channel.id, 'hello');
      expect((await listener.dispatch('MESSAGE_CREATE')).d.member.nick).toBe('Ｂenny');
      expect(await ben.ask('PATCH', `/guilds/${guild.id}/members/@me`, { nick: '' })).toMatchObject({ nick: null });
      expect(await ben.ask('PATCH', `/guilds/${guild.id}/members/%40me/nick`, { nick: 'b' })).toMatchObject({
        nick: 'b',
      });
      expect(codeOf(await ben.request('PATCH', member(people[2]), { nick: 'x' }))).toBe(50013);
      expect(codeOf(await moderator.request('PATCH', member(owner.account!), { nick: 'x' }))).toBe(50013);
      expect(codeOf(await moderator.request('PATCH', member(people[1]), { nick: 'a'.repeat(33) }))).toBe(50035);
      for (const field of [{ mute: true }, { deaf: true }, { channel_id: '1' }])
        expect(codeOf(await moderator.request('PATCH', member(people[1]), field))).toBe(50035);
      await Promise.all([listener.cut(), own.cut()]);
    });

    it('time members out, who still see and read', async () => {
      const until = new Date(Date.now() + 60_000).toISOString();
      const shown = await moderator.ask<{ communication_disabled_until: string }>('PATCH', member(people[1]), {
        communication_disabled_until: until.replace('Z', '0000+00:00'),
      });
      expect(Date.parse(shown.communication_disabled_until)).toBe(Date.parse(until));
      expect(codeOf(await ben.request('POST', `/channels/${guild.channel.id}/messages`, { content: 'x' }))).toBe(50013);
      expect((await ben.history(guild.channel.id)).length).toBeGreaterThan(0);
      // Leaving does not end it.
      const code = await owner.invite(guild.channel.id);
      await ben.leave(guild.id);
      await ben.join(code);
      expect(codeOf(await ben.request('POST', `/channels/${guild.channel.id}/messages`, { content: 'x' }))).toBe(50013);
      await moderator.ask('PATCH', member(people[1]), { communication_disabled_until: null });
      await ben.send(guild.channel.id, 'again');
      const tooLong = new Date(Date.now() + 29 * 86_400_000).toISOString();
      const refused = await moderator.request('PATCH', member(people[1]), { communication_disabled_until: tooLong });
      expect(refused).toMatchObject({
        ...{ status: 400, body: { code: 50035, errors: { communication_disabled_until: { _errors: [{}] } } } },
      });
      const onOwner = await moderator.request('PATCH', member(owner.account!), { communication_disabled_until: until });
      expect(codeOf(onOwner)).toBe(50013);
    });

    it('kick: the guild ends for whoever is kicked, live and on resume', async () => {
      const [kicked] = (await joined(owner, guild, 'kicked', 1)) as [Account];
      const [socket, other] = [
        await GatewayClient.identified(instance.url, kicked.token),
        await GatewayClient.identified(instance.url, kicked.token),
      ];
      await other.cut();
      const listener = await GatewayClient.identified(instance.url, people[2].token, MODERATION);
      expect(codeOf(await ben.request('DELETE', member(kicked)))).toBe(50013);
      expect(codeOf(await outsider.request('DELETE', member(kicked)))).toBe(10004);
      expect(codeOf(await moderator.request('DELETE', member(owner.account!)))).toBe(50013);
      expect(codeOf(await moderator.request('DELETE', member(outsider.account!)))).toBe(10007);
      expect((await moderator.request('DELETE', member(kicked))).status).toBe(204);
      const api = instance.api.as(kicked);
      expect(codeOf(await api.request('GET', `/channels/${guild.channel.id}/messages`))).toBe(10003);
      expect(codeOf(await api.request('GET', `/guilds/${guild.id}`))).toBe(10004);
      expect((await socket.dispatch('GUILD_DELETE')).d).toMatchObject({ id: guild.id });
      expect((await listener.dispatch('GUILD_MEMBER_REMOVE')).d).toMatchObject({ user: { id: kicked.id } });
      const said = await owner.send(guild.channel.id, 'without them');
      await listener.dispatch('MESSAGE_CREATE', (d) => d.id === said.id);
      const away = { session_id: other.sessionId!, seq: other.seq };
      const back = await GatewayClient.resumed(instance.url, kicked.token, away);
      expect(back.dispatches('GUILD_DELETE').map(({ d }) => d.id)).toEqual([guild.id]);
      for (const one of [socket, back]) expect(one.dispatches('MESSAGE_CREATE')).toEqual([]);
      // Whoever is kicked may come back.
      await api.join(await owner.invite(guild.channel.id));
      await Promise.all([socket.cut(), listener.cut(), back.cut()]);
    });

    it('ban: what was said is deleted, no invite lets them in, until they are unbanned', async () => {
      const [banned] = (await joined(owner, guild, 'banned', 1)) as [Account];
      const api = instance.api.as(banned);
      const listener = await GatewayClient.identified(instance.url, people[2].token, MODERATION);
      const said = [await api.send(guild.channel.id, 'spam'), await api.send(guild.channel.id, 'more spam')];
      const reason = { 'x-audit-log-reason': encodeURIComponent('Werbung ✓') };
      expect(codeOf(await ben.request('PUT', ban(banned)))).toBe(50013);
      expect(codeOf(await outsider.request('PUT', ban(banned)))).toBe(10004);
      expect(codeOf(await moderator.request('PUT', ban({ ...banned, id: '1' })))).toBe(10013);
      expect(codeOf(await moderator.request('PUT', ban(owner.account!)))).toBe(50013);
      expect(codeOf(await moderator.request('PUT', ban(banned), { delete_message_seconds: 604_801 }))).toBe(50035);
      const put = await moderator.request('PUT', `${ban(banned)}?delete_message_seconds=600`, undefined, reason);
      expect(put.status).toBe(204);
      const about = { guild_id: guild.id, user: { id: banned.id } };
      expect((await listener.dispatch('GUILD_BAN_ADD')).d).toMatchObject(about);
      expect((await listener.dispatch('GUILD_MEMBER_REMOVE')).d).toMatchObject(about);
      const bulk = await listener.dispatch('MESSAGE_DELETE_BULK');
      expect(bulk.d).toMatchObject({ ids: said.map(({ id }) => id), channel_id: guild.channel.id });
      const code = await owner.invite(guild.channel.id);
      expect(await api.request('POST', `/invites/${code}`)).toMatchObject({ status: 403, body: { code: 40007 } });
      const capped = await owner.ask<{ code: string }>('POST', `/channels/${guild.channel.id}/invites`, {
        max_uses: 5,
      });
      expect(codeOf(await api.request('POST', `/invites/${capped.code}`))).toBe(40007);
      const shown = { reason: 'Werbung ✓', user: { id: banned.id } };
      await expect.poll(() => moderator.ask('GET', `/guilds/${guild.id}/bans`)).toMatchObject([shown]);
      expect(await moderator.ask('GET', ban(banned))).toMatchObject(shown);
      expect(codeOf(await ben.request('GET', ban(banned)))).toBe(50013);
      expect(codeOf(await moderator.request('DELETE', member(banned)))).toBe(10007);
      // Somebody who was never here.
      expect((await moderator.request('PUT', ban(outsider.account!), { delete_message_days: 1 })).status).toBe(204);
      expect(codeOf(await outsider.request('POST', `/invites/${code}`))).toBe(40007);
      for (const account of [banned, outsider.account!]) {
        expect((await moderator.request('DELETE', ban(account))).status).toBe(204);
        expect(codeOf(await moderator.request('DELETE', ban(account)))).toBe(10026);
      }
      await listener.dispatch('GUILD_BAN_REMOVE', (d) => d.user.id === outsider.account!.id);
      await api.join(code);
      const source = await moderator.ask('GET', `${member(banned)}/source`);
      expect(source).toMatchObject({ source_invite_code: code, inviter_id: owner.account!.id });
      await listener.cut();
    });

    it('ban many at once, and learn who could not be banned', async () => {
      const some = (await joined(owner, guild, 'many', 2)) as [Account, Account];
      const ids = [...some.map(({ id }) => id), owner.account!.id, '1'];
      const socket = await GatewayClient.identified(instance.url, moderator.account!.token);
      const command = { type: 'member.bulk-ban', id: 'b', guild_id: guild.id, user_ids: ids };
      const expected = { banned_users: ids.slice(0, 2), failed_users: ids.slice(2) };
      for (let n = 0; n < 2; n += 1) expect((await socket.command(command)).result).toEqual(expected);
      const none = { ...command, id: 'c', user_ids: ids.slice(2) };
      expect((await socket.command(none)).error).toMatchObject({ code: 500_000 });
      await socket.cut();
    });

    it('see how many members have each role', async () => {
      const [role] = (await owner.ask<{ roles: { id: string }[] }>('GET', `/guilds/${guild.id}`)).roles.slice(1);
      const counts = `/guilds/${guild.id}/roles/member-counts`;
      await expect.poll(() => ben.ask('GET', counts)).toEqual({ [role!.id]: 1 });
    });
  });
