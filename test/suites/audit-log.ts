/** What a guild's audit log says of what its people do, and who is told of it, end to end. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Permission } from '../../domain/permissions.ts';
import { type Account, type Api, type Channel, joined, someName } from '../support/api.ts';
import { ALL_INTENTS, GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

const MODERATION = ALL_INTENTS | (1 << 2);
const ENTRY = 'GUILD_AUDIT_LOG_ENTRY_CREATE';

interface Entry {
  readonly id: string;
  readonly action_type: number;
  readonly user_id: string;
  readonly target_id: string | null;
  readonly reason?: string;
}
interface Page {
  readonly audit_log_entries: readonly Entry[];
  readonly users: readonly { readonly id: string }[];
  readonly threads: readonly { readonly id: string }[];
}

export const auditLogSuite = (start: StartInstance) =>
  describe('the audit log', () => {
    let instance: Instance;
    let owner: Api;
    let people: readonly [Account, Account, Account];
    let auditor: Api;
    let ben: Api;
    let guild: { id: string; channel: Channel };
    /** Of those who may read the log. */
    let role: { id: string };
    /** Seen by its owner alone. */
    let hidden: Channel;

    beforeAll(async () => {
      instance = await start({ PARLEY_LIMIT_GLOBAL: 'off', PARLEY_LIMIT_SEND: 'off' });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      guild = await owner.createGuild('Audited');
      people = (await joined(owner, guild, 'member', 3)) as unknown as typeof people;
      [auditor, ben] = people.map((account) => instance.api.as(account)) as [Api, Api];
      role = await owner.ask('POST', `/guilds/${guild.id}/roles`, {
        ...{ name: 'auditor', permissions: `${Permission.viewAuditLog}` },
      });
      await owner.ask('PUT', `/guilds/${guild.id}/members/${people[0].id}/roles/${role.id}`);
      hidden = await owner.createChannel(guild.id, {
        ...{ name: 'hidden', permission_overwrites: [{ id: guild.id, type: 0, allow: '0', deny: '1024' }] },
      });
    });

    afterAll(() => instance?.close());

    const logged = (query = '', by = auditor) => by.ask<Page>('GET', `/guilds/${guild.id}/audit-logs${query}`);
    const actions = async (query = '') => (await logged(query)).audit_log_entries.map(({ action_type }) => action_type);

    it('names what is done, with who, whom and why, to those who may read it', async () => {
      const banned = people[2].id;
      const why = { 'x-audit-log-reason': encodeURIComponent('wiederholt 🌧️ gestört') };
      expect((await owner.request('PUT', `/guilds/${guild.id}/bans/${banned}`, {}, why)).status).toBe(204);
      await expect.poll(() => actions('?limit=5')).toEqual([22, 10, 25, 30, 40]);
      const { audit_log_entries: entries, users, ...others } = await logged('?limit=5');
      const by = { user_id: owner.account!.id };
      expect(entries).toMatchObject([
        { ...by, target_id: banned, reason: 'wiederholt 🌧️ gestört' },
        { ...by, target_id: hidden.id },
        { ...by, target_id: people[0].id, changes: [{ key: '$add', new_value: [{ id: role.id, name: 'auditor' }] }] },
        { ...by, target_id: role.id },
        { ...by, target_id: null },
      ]);
      expect(users.map(({ id }) => id).toSorted()).toEqual([owner.account!.id, people[0].id, banned].toSorted());
      expect(others).toEqual({
        ...{ threads: [], webhooks: [], integrations: [], application_commands: [] },
        ...{ auto_moderation_rules: [], guild_scheduled_events: [] },
      });
      expect(await actions('?action_type=22')).toEqual([22]);
      expect(await actions(`?user_id=${people[1].id}`)).toEqual([]);
      expect(await actions(`?before=${entries[1]!.id}&limit=2`)).toEqual([25, 30]);
      expect(await actions(`?after=${entries[3]!.id}&limit=2`)).toEqual([25, 10]);
      const codes = async (api: Api, query = '') =>
        ((await api.request('GET', `/guilds/${guild.id}/audit-logs${query}`)).body as { code: number }).code;
      expect(await codes(ben)).toBe(50013);
      expect(await codes(instance.api.as(await instance.api.register(someName('eve'))))).toBe(10004);
      for (const query of ['?limit=0', '?limit=101', '?action_type=x', '?user_id=x', '?before=x'])
        expect(await codes(auditor, query)).toBe(50035);
    });

    it('tells them live, also of channels that they do not see, and when they resume', async () => {
      const socket = await GatewayClient.identified(instance.url, people[0].token, MODERATION);
      const blind = await GatewayClient.identified(instance.url, people[0].token, ALL_INTENTS);
      const other = await GatewayClient.identified(instance.url, people[1].token, MODERATION);
      const said = await owner.send(hidden.id, 'one');
      await owner.ask('PUT', `/channels/${hidden.id}/messages/pins/${said.id}`);
      const pinned = (await socket.dispatch(ENTRY)).d;
      expect(pinned).toMatchObject({
        ...{ guild_id: guild.id, action_type: 74, user_id: owner.account!.id, target_id: owner.account!.id },
        options: { channel_id: hidden.id, message_id: said.id },
      });
      const { guild_id: _, ...entry } = pinned;
      await expect.poll(async () => (await logged('?limit=1')).audit_log_entries).toEqual([entry]);
      const session = socket.session();
      await socket.cut();
      await owner.ask('PATCH', `/guilds/${guild.id}`, { description: 'of engines' });
      await owner.ask('PATCH', `/channels/${hidden.id}`, { name: 'veiled' });
      const resumed = await GatewayClient.resumed(instance.url, people[0].token, session);
      expect(resumed.dispatches(ENTRY).map(({ d }) => [d.action_type, d.changes])).toEqual([
        [1, [{ key: 'description', new_value: 'of engines' }]],
        [11, [{ key: 'name', new_value: 'veiled', old_value: 'hidden' }]],
      ]);
      expect(resumed.dispatches('CHANNEL_UPDATE', 'MESSAGE_UPDATE', 'CHANNEL_PINS_UPDATE')).toEqual([]);
      for (const client of [blind, other]) {
        await client.dispatch('GUILD_UPDATE');
        expect(client.dispatches(ENTRY, 'CHANNEL_PINS_UPDATE', 'MESSAGE_UPDATE')).toEqual([]);
      }
      await Promise.all([resumed.cut(), blind.cut(), other.cut()]);
    });

    it('is told to nobody who has lost the right, live and on resume, and is gone with the guild', async () => {
      const live = await GatewayClient.identified(instance.url, people[0].token, MODERATION);
      const later = await GatewayClient.identified(instance.url, people[0].token, MODERATION);
      const session = later.session();
      await later.cut();
      await owner.ask('PATCH', `/guilds/${guild.id}`, { description: 'still told' });
      await live.dispatch(ENTRY, ({ action_type }) => action_type === 1);
      await owner.ask('DELETE', `/guilds/${guild.id}/members/${people[0].id}/roles/${role.id}`);
      await owner.ask('PATCH', `/guilds/${guild.id}`, { description: 'told no more' });
      const isLast = ({ description }: { description: string }) => description === 'told no more';
      await live.dispatch('GUILD_UPDATE', isLast);
      expect(live.dispatches(ENTRY)).toHaveLength(1);
      const resumed = await GatewayClient.resumed(instance.url, people[0].token, session);
      await resumed.dispatch('GUILD_UPDATE', isLast);
      expect(resumed.dispatches(ENTRY)).toEqual([]);
      expect((await auditor.request('GET', `/guilds/${guild.id}/audit-logs`)).status).toBe(403);
      await Promise.all([live.cut(), resumed.cut()]);
      await owner.ask('DELETE', `/guilds/${guild.id}`);
      expect((await owner.request('GET', `/guilds/${guild.id}/audit-logs`)).status).toBe(404);
    });
  });
