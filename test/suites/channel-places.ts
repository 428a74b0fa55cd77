/** Categories, places and slow mode of a guild's channels, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

const [CATEGORY, ANNOUNCEMENT] = [4, 5];
const VIEW = String(1 << 10);

export const channelPlacesSuite = (start: StartInstance) =>
  describe('the channels of a guild', () => {
    let instance: Instance;
    let owner: Api;
    let member: Account;
    let ben: Api;
    let stranger: Api;
    let first: Channel;
    let guildId: string;
    let category: Channel;

    const channelOf = (id: string) => ben.ask<Record<string, unknown>>('GET', `/channels/${id}`);
    const make = (body: object) => owner.ask<Channel>('POST', `/guilds/${guildId}/channels`, body);

    beforeAll(async () => {
      instance = await start({
        PARLEY_LIMIT_SEND: 'off',
        PARLEY_LIMIT_GLOBAL: 'off',
        PARLEY_LIMIT_CHANNEL_CREATE: 'off',
      });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      stranger = instance.api.as(await instance.api.register(someName('eve')));
      const guild = await owner.createGuild('A guild');
      ({ channel: first, id: guildId } = guild);
      [member] = (await joined(owner, guild, 'ben', 1)) as [Account];
      ben = instance.api.as(member);
      category = await make({ name: 'a category', type: CATEGORY });
    });

    afterAll(() => instance?.close());

    it('stand in categories, whose overwrites they begin with', async () => {
      const socket = await GatewayClient.identified(instance.url, member.token);
      const overwrite = { type: 0, deny: String(1 << 11), allow: VIEW };
      await owner.ask('PUT', `/channels/${category.id}/permissions/${guildId}`, overwrite);
      const settings = { parent_id: category.id, rate_limit_per_user: 5, nsfw: true, position: 4 };
      const made = await make({ name: 'news', type: ANNOUNCEMENT, ...settings });
      const shown = {
        id: made.id,
        type: ANNOUNCEMENT,
        ...settings,
        permission_overwrites: [{ id: guildId, ...overwrite }],
      };
      expect(made).toMatchObject(shown);
      expect((await socket.dispatch('CHANNEL_CREATE', ({ id }) => id === made.id)).d).toMatchObject(shown);
      await expect.poll(() => channelOf(made.id)).toMatchObject(shown);
      await socket.cut();
      expect(await owner.request('POST', `/channels/${category.id}/messages`, { content: 'x' })).toMatchObject({
        status: 400,
        body: { code: 50008 },
      });
      expect(await owner.request('POST', `/channels/${category.id}/invites`, {})).toMatchObject({
        body: { code: 50024 },
      });
      for (const parent_id of [first.id, guildId])
        expect(await owner.request('POST', `/guilds/${guildId}/channels`, { name: 'x', parent_id })).toMatchObject({
          status: 400,
          body: { code: 50035, errors: { parent_id: {} } },
        });
    });

    it('are moved together, with the overwrites of their category if that is asked for', async () => {
      const a = await make({ name: 'a' });
      const places = [
        { id: a.id, parent_id: category.id, lock_permissions: true, position: 3 },
        { id: first.id, position: 2 },
      ];
      expect(await owner.request('PATCH', `/guilds/${guildId}/channels`, places)).toMatchObject({ status: 204 });
      const { permission_overwrites } = await channelOf(category.id);
      await expect
        .poll(() => channelOf(a.id))
        .toMatchObject({ parent_id: category.id, position: 3, permission_overwrites });
      await expect.poll(() => channelOf(first.id)).toMatchObject({ position: 2, parent_id: null });
      const mine = await GatewayClient.identified(instance.url, owner.account!.token);
      const command = { type: 'channel.move', id: 'out', guild_id: guildId, channels: [{ id: a.id, parent_id: null }] };
      for (let n = 0; n < 2; n += 1) expect(await mine.command(command)).toMatchObject({ ok: true });
      await mine.cut();
      await expect.poll(() => channelOf(a.id)).toMatchObject({ parent_id: null, position: 3 });
      const path = `/guilds/${guildId}/channels`;
      expect(await ben.request('PATCH', path, places)).toMatchObject({ status: 403, body: { code: 50013 } });
      expect(await stranger.request('PATCH', path, places)).toMatchObject({ status: 404, body: { code: 10004 } });
      expect(await owner.request('PATCH', path, [{ id: '1' }])).toMatchObject({ status: 404, body: { code: 10003 } });
    });

    it('have their overwrites replaced by an edit', async () => {
      const made = await make({ name: 'b', permission_overwrites: [{ id: guildId, type: 0, deny: '2048' }] });
      const path = `/channels/${made.id}`;
      const permission_overwrites = [{ id: member.id, type: 1, allow: '2048', deny: '0' }];
      expect(await owner.ask('PATCH', path, { permission_overwrites })).toMatchObject({ permission_overwrites });
      await expect.poll(() => channelOf(made.id)).toMatchObject({ permission_overwrites });
      expect(await ben.request('PATCH', path, { permission_overwrites: [] })).toMatchObject({ body: { code: 50013 } });
      expect(await owner.request('PATCH', path, { permission_overwrites: [{ id: '1', type: 0 }] })).toMatchObject({
        status: 404,
        body: { code: 10011 },
      });
      expect(await owner.request('PATCH', path, { type: ANNOUNCEMENT })).toMatchObject({ body: { code: 50035 } });
    });

    it('have overwrites for roles as roles and for people as people, and for nobody else', async () => {
      const made = await make({ name: 'o' });
      const [asRole, asPerson] = [
        { status: 404, body: { code: 10011 } },
        { status: 404, body: { code: 10007 } },
      ];
      for (const [id, type, refusal] of [
        [member.id, 0, asRole],
        ['1', 0, asRole],
        [guildId, 1, asPerson],
        [stranger.account!.id, 1, asPerson],
      ] as const) {
        const permission_overwrites = [{ id, type, deny: VIEW }];
        const path = `/channels/${made.id}`;
        expect(await owner.request('PUT', `${path}/permissions/${id}`, { type, deny: VIEW })).toMatchObject(refusal);
        expect(await owner.request('PATCH', path, { permission_overwrites })).toMatchObject(refusal);
        const created = { name: 'n', permission_overwrites };
        const joinsLater = id === stranger.account!.id;
        expect(await owner.request('POST', `/guilds/${guildId}/channels`, created)).toMatchObject(
          joinsLater ? { status: 201 } : refusal,
        );
      }
    });

    it('are of no type for those who do not see them', async () => {
      const hidden = await make({ name: 'h', permission_overwrites: [{ id: guildId, type: 0, deny: VIEW }] });
      const asked = { archived: true };
      for (const api of [ben, stranger])
        expect(await api.request('PATCH', `/channels/${hidden.id}`, asked)).toMatchObject({
          ...{ status: 404, body: { code: 10003 } },
        });
      expect(await owner.request('PATCH', `/channels/${hidden.id}`, asked)).toMatchObject({ body: { code: 50024 } });
    });

    it('lose their category when it is deleted', async () => {
      const gone = await make({ name: 'gone', type: CATEGORY });
      const child = await make({ name: 'child', parent_id: gone.id });
      const socket = await GatewayClient.identified(instance.url, member.token);
      await owner.ask('DELETE', `/channels/${gone.id}`);
      expect((await socket.dispatch('CHANNEL_DELETE')).d).toMatchObject({ id: gone.id });
      expect((await socket.dispatch('CHANNEL_UPDATE')).d).toMatchObject({ id: child.id, parent_id: null });
      await socket.cut();
      await expect.poll(() => channelOf(child.id)).toMatchObject({ parent_id: null });
    });

    it('with slow mode make people wait, but not those who manage it', async () => {
      const slow = await make({ name: 'slow', rate_limit_per_user: 21_600 });
      const say = (api: Api, content: string, nonce?: string) =>
        api.request<{ id: string }>('POST', `/channels/${slow.id}/messages`, {
          ...{ content, ...(nonce === undefined ? {} : { nonce, enforce_nonce: true }) },
        });
      await expect.poll(() => channelOf(slow.id)).toMatchObject({ rate_limit_per_user: 21_600 });
      // What is refused does not count.
      expect(await say(ben, '')).toMatchObject({ body: { code: 50006 } });
      const said = await say(ben, 'one', 'n');
      expect(said.status).toBe(200);
      const refused = await say(ben, 'two');
      expect(refused).toMatchObject({ status: 429, body: { code: 20016, global: false } });
      expect((refused.body as unknown as { retry_after: number }).retry_after).toBeGreaterThan(21_000);
      // A repeat is answered.
      expect(await say(ben, 'one', 'n')).toMatchObject({ status: 200, body: { id: said.body.id } });
      for (const content of ['a', 'b']) expect(await say(owner, content)).toMatchObject({ status: 200 });
      await owner.ask('PUT', `/channels/${slow.id}/permissions/${member.id}`, { type: 1, allow: String(1n << 52n) });
      await expect.poll(async () => (await say(ben, 'three')).status).toBe(200);
      expect(await owner.request('PATCH', `/channels/${slow.id}`, { rate_limit_per_user: 21_601 })).toMatchObject({
        body: { code: 50035 },
      });
    });
  });
