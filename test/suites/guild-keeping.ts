/** What owners do to a guild as a whole, and how people find it and come in, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, joined, someName } from '../support/api.ts';
import { ALL_INTENTS, GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

interface Invite {
  readonly code: string;
}

const INVITES = 1 << 6;

const soon = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

export const guildKeepingSuite = (start: StartInstance) =>
  describe('a guild', () => {
    let instance: Instance;
    let owner: Api;
    let stranger: Api;

    const withMember = async (name: string) => {
      const guild = await owner.createGuild(name);
      const [account] = (await joined(owner, guild, 'ben', 1)) as [Account];
      return { ...guild, member: account, ben: instance.api.as(account), path: `/guilds/${guild.id}` };
    };
    const shownTo = async (api: Api) =>
      (await api.ask<{ id: string }[]>('GET', '/users/@me/guilds')).map(({ id }) => id);

    beforeAll(async () => {
      instance = await start({
        PARLEY_LIMIT_SEND: 'off',
        PARLEY_LIMIT_GLOBAL: 'off',
        PARLEY_LIMIT_GUILD_CREATE: 'off',
      });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      stranger = instance.api.as(await instance.api.register(someName('eve')));
    });

    afterAll(() => instance?.close());

    it('has settings, which its level of verification enforces', async () => {
      const { path, channel, ben, member } = await withMember('Set');
      const socket = await GatewayClient.identified(instance.url, member.token);
      const change = {
        verification_level: 3,
        default_message_notifications: 1,
        system_channel_id: channel.id,
        system_channel_flags: 1,
      };
      expect(await owner.request('PATCH', path, change)).toMatchObject({ status: 200, body: change });
      expect((await socket.dispatch('GUILD_UPDATE')).d).toMatchObject(change);
      await socket.cut();
      await expect.poll(() => ben.ask('GET', path)).toMatchObject(change);
      const say = (api: Api) => api.request('POST', `/channels/${channel.id}/messages`, { content: 'x' });
      expect(await say(ben)).toMatchObject({ status: 403, body: { code: 50009 } });
      expect(await say(owner)).toMatchObject({ status: 200 });
      expect(await owner.request('PATCH', path, { system_channel_id: path.slice(8) })).toMatchObject({
        status: 400,
        body: { code: 50035, errors: { system_channel_id: {} } },
      });
      for (const body of [{ verification_level: 5 }, { features: ['COMMUNITY'] }, { icon: 'data:' }])
        expect(await owner.request('PATCH', path, body)).toMatchObject({ status: 400, body: { code: 50035 } });
    });

    it('greets its people in no channel that whoever sets it does not see', async () => {
      const { path, id, ben, member } = await withMember('Greets');
      const hidden = await owner.createChannel(id, {
        name: 'hidden',
        permission_overwrites: [{ id, type: 0, deny: `${1 << 10}` }],
      });
      const role = await owner.ask<{ id: string }>('POST', `${path}/roles`, { permissions: `${1 << 5}` });
      await owner.ask('PUT', `${path}/members/${member.id}/roles/${role.id}`);
      const setTo = (channelId: string) => ben.request('PATCH', path, { system_channel_id: channelId });
      await expect.poll(async () => (await setTo('1')).status).toBe(400);
      expect((await setTo(hidden.id)).body).toEqual((await setTo('1')).body);
    });

    it('is handed on by its owner alone, to a member', async () => {
      const { path, id, ben, member } = await withMember('Handed on');
      const to = (owner_id: string) => ({ owner_id });
      expect(await ben.request('PATCH', path, to(member.id))).toMatchObject({ body: { code: 50013 } });
      expect(await owner.request('PATCH', path, to(stranger.account!.id))).toMatchObject({ body: { code: 10007 } });
      const both = { ...to(member.id), name: 'Other' };
      expect(await owner.request('PATCH', path, both)).toMatchObject({
        body: { code: 50035, errors: { owner_id: {} } },
      });
      const socket = await GatewayClient.identified(instance.url, member.token);
      const mine = await GatewayClient.identified(instance.url, owner.account!.token);
      const command = { type: 'guild.edit', id: 'hand on', guild_id: id, ...to(member.id) };
      for (let n = 0; n < 2; n += 1) expect(await mine.command(command)).toMatchObject({ ok: true });
      await mine.cut();
      expect((await socket.dispatch('GUILD_UPDATE')).d).toMatchObject(to(member.id));
      await socket.cut();
      await expect.poll(() => ben.ask('GET', path)).toMatchObject(to(member.id));
      expect(await owner.request('PATCH', path, to(owner.account!.id))).toMatchObject({ body: { code: 50013 } });
      await owner.leave(id);
    });

    it('is deleted by its owner: its people are told, live and on resume, and nothing of it is left', async () => {
      const { path, id, channel, ben, member } = await withMember('Gone');
      const code = await owner.invite(channel.id);
      const live = await GatewayClient.identified(instance.url, member.token);
      const away = await GatewayClient.identified(instance.url, member.token);
      const before = away.session();
      await away.cut();
      expect(await ben.request('DELETE', path)).toMatchObject({ status: 403, body: { code: 50013 } });
      expect(await stranger.request('DELETE', path)).toMatchObject({ status: 404, body: { code: 10004 } });
      expect(await owner.request('DELETE', path)).toMatchObject({ status: 204 });
      expect((await live.dispatch('GUILD_DELETE')).d).toEqual({ id });
      await live.cut();
      const resumed = await GatewayClient.resumed(instance.url, member.token, before);
      expect(resumed.dispatches('GUILD_DELETE').map(({ d }) => d)).toEqual([{ id }]);
      await resumed.cut();
      const fresh = await GatewayClient.identified(instance.url, member.token);
      expect(fresh.dispatches('READY')[0]!.d.guilds).toEqual([]);
      await fresh.cut();
      for (const api of [owner, ben, stranger]) {
        expect(await shownTo(api)).not.toContain(id);
        for (const gone of [
          path,
          `${path}/channels`,
          `${path}/members`,
          `/channels/${channel.id}`,
          `/channels/${channel.id}/messages`,
        ])
          expect((await api.request('GET', gone)).status).toBe(404);
        const said = await api.request('POST', `/channels/${channel.id}/messages`, { content: 'x' });
        expect(said).toMatchObject({ status: 404, body: { code: 10003 } });
        for (const method of ['GET', 'POST'])
          expect(await api.request(method, `/invites/${code}`)).toMatchObject({ status: 404, body: { code: 10006 } });
        expect(await api.request('DELETE', path)).toMatchObject({ status: 404, body: { code: 10004 } });
      }
    });

    it('keeps new people away while invites are paused', async () => {
      const { path, channel, ben } = await withMember('Paused');
      const code = await owner.invite(channel.id);
      const actions = `${path}/incident-actions`;
      expect(await ben.request('PUT', actions, {})).toMatchObject({ status: 403, body: { code: 50013 } });
      expect(await stranger.request('PUT', actions, {})).toMatchObject({ status: 404, body: { code: 10004 } });
      expect(await owner.request('PUT', actions, { invites_disabled_until: soon(25) })).toMatchObject({
        status: 400,
        body: { code: 50035, errors: { invites_disabled_until: {} } },
      });
      const pause = { invites_disabled_until: soon(2), dms_disabled_until: soon(1) };
      expect(await owner.request('PUT', actions, pause)).toMatchObject({
        status: 200,
        body: { raid_detected_at: null },
      });
      await expect.poll(() => ben.ask('GET', path)).toMatchObject({ incidents_data: { raid_detected_at: null } });
      expect(await stranger.request('POST', `/invites/${code}`)).toMatchObject({ status: 403, body: { code: 40006 } });
      expect(await ben.request('POST', '/users/@me/channels', { recipient_id: owner.account!.id })).toMatchObject({
        status: 403,
        body: { code: 50007 },
      });
      await owner.ask('PUT', actions, { invites_disabled_until: null, dms_disabled_until: null });
      await expect.poll(async () => (await stranger.request('POST', `/invites/${code}`)).status).toBe(200);
      expect((await ben.request('POST', '/users/@me/channels', { recipient_id: owner.account!.id })).status).toBe(200);
    });

    it('that is public is found by its name and joined without an invite, and no other is', async () => {
      const name = someName('Public');
      const { path, id, ben } = await withMember(name);
      const found = (q: string) => stranger.ask<{ id: string }[]>('GET', `/discovery?q=${encodeURIComponent(q)}`);
      expect(await stranger.request('PUT', `${path}/members/@me`)).toMatchObject({
        status: 404,
        body: { code: 10004 },
      });
      expect(await ben.request('PATCH', path, { features: ['DISCOVERABLE'] })).toMatchObject({ body: { code: 50013 } });
      expect(await owner.ask('PATCH', path, { features: ['DISCOVERABLE'] })).toMatchObject({
        features: ['DISCOVERABLE'],
      });
      await expect.poll(() => found(name.toUpperCase())).toMatchObject([{ id, name, approximate_member_count: 2 }]);
      expect(await found('no such name')).toEqual([]);
      expect(await stranger.request('PUT', `${path}/members/@me`)).toMatchObject({ status: 200, body: { id } });
      expect(await shownTo(stranger)).toContain(id);
      await owner.ask('PATCH', path, { features: [] });
      await expect.poll(() => found(name)).toEqual([]);
    });

    it('lists its invites to those who manage it; they are deleted by these and by who made them', async () => {
      const { path, channel, ben, member } = await withMember('Inviting');
      const lists = [`${path}/invites`, `/channels/${channel.id}/invites`];
      const codes = async (list: string) => (await owner.ask<Invite[]>('GET', list)).map(({ code }) => code);
      const bens = await ben.ask<Invite>('POST', `/channels/${channel.id}/invites`, { max_uses: 1 });
      const own = await owner.ask<Invite>('POST', `/channels/${channel.id}/invites`, {});
      for (const list of lists) {
        await expect.poll(() => codes(list)).toEqual(expect.arrayContaining([bens.code, own.code]));
        expect(await ben.request('GET', list)).toMatchObject({ status: 403, body: { code: 50013 } });
        expect((await stranger.request('GET', list)).status).toBe(404);
      }
      const socket = await GatewayClient.identified(instance.url, owner.account!.token, ALL_INTENTS | INVITES);
      expect(await ben.request('DELETE', `/invites/${own.code}`)).toMatchObject({ status: 403, body: { code: 50013 } });
      expect(await ben.request('DELETE', `/invites/${bens.code}`)).toMatchObject({
        status: 200,
        body: { code: bens.code },
      });
      expect((await socket.dispatch('INVITE_DELETE')).d).toMatchObject({ code: bens.code, channel_id: channel.id });
      expect(await socket.command({ type: 'invite.delete', code: own.code })).toMatchObject({ ok: true });
      await socket.cut();
      for (const { code } of [own, bens])
        for (const method of ['GET', 'POST', 'DELETE'])
          await expect
            .poll(() => stranger.request(method, `/invites/${code}`))
            .toMatchObject({ body: { code: 10006 } });
      expect(await codes(lists[0]!)).not.toContain(own.code);
      expect(member.id).toBeDefined();
    });

    it('takes one person by the last use of an invite, however many ask at once', async () => {
      const { channel } = await withMember('Full');
      const { code } = await owner.ask<Invite>('POST', `/channels/${channel.id}/invites`, { max_uses: 1 });
      const guests = await joined(owner, await owner.createGuild('Waiting'), 'guest', 8);
      const asked = guests.map((account) =>
        instance.api.as(account).request<{ code: unknown }>('POST', `/invites/${code}`),
      );
      const answers = (await Promise.all(asked)).map(({ status, body }) => `${status} ${body.code}`).toSorted();
      expect(answers).toEqual([`200 ${code}`, ...Array.from({ length: 7 }, () => '404 10006')]);
    });

    it('has none of what is not there yet', async () => {
      const { path, ben } = await withMember('Empty');
      for (const name of ['emojis', 'stickers', 'webhooks', 'integrations']) {
        expect(await ben.ask('GET', `${path}/${name}`)).toEqual([]);
        expect((await stranger.request('GET', `${path}/${name}`)).status).toBe(404);
      }
    });
  });
