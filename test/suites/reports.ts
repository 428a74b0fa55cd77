/** Reports of messages, end to end: socket and HTTP, whoever is told, and whoever is not. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

interface Report {
  readonly id: string;
  readonly state: string;
  readonly note: string | null;
}

export const reportsSuite = (start: StartInstance) =>
  describe('reports', () => {
    let instance: Instance;
    let owner: Api;
    let ben: Api;
    let cleo: Api;
    let guild: { readonly id: string; readonly channel: Channel };
    /** Where the moderators are told: nobody else sees it. */
    let alerts: Channel;

    beforeAll(async () => {
      instance = await start({ PARLEY_LIMIT_SEND: 'off', PARLEY_LIMIT_GLOBAL: 'off', PARLEY_LIMIT_REPORT: 'off' });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      guild = await owner.createGuild('Reported');
      const [first, second] = (await joined(owner, guild, 'ben', 2)) as [Account, Account];
      ben = instance.api.as(first);
      cleo = instance.api.as(second);
      alerts = await owner.createChannel(guild.id, {
        name: 'alerts',
        permission_overwrites: [{ id: guild.id, type: 0, allow: '0', deny: '1024' }],
      });
      const edited = await owner.ask('PATCH', `/guilds/${guild.id}`, { safety_alerts_channel_id: alerts.id });
      expect(edited).toMatchObject({ safety_alerts_channel_id: alerts.id });
    });

    afterAll(() => instance?.close());

    const idOf = (api: Api) => api.account!.id;
    const connect = (api: Api) => GatewayClient.identified(instance.url, api.account!.token);
    const on = (message: { readonly id: string }, channel: Channel = guild.channel) =>
      `/channels/${channel.id}/messages/${message.id}/report`;
    const listed = (by: Api, query = '') => by.ask<Report[]>('GET', `/guilds/${guild.id}/reports${query}`);
    const own = (by: Api) => by.ask<Report[]>('GET', '/users/@me/reports');

    it('reach the moderators and their outcome the reporter; the reported hears of neither', async () => {
      const message = await cleo.send(guild.channel.id, 'rude');
      const [hers, his, theirs] = [await connect(owner), await connect(ben), await connect(cleo)];
      const report = await ben.ask<Report>('POST', on(message), { kind: 'harassment', text: 'hurts' });
      const place = { guild_id: guild.id, channel_id: guild.channel.id, message_id: message.id };
      expect(report).toEqual({
        ...{ id: expect.any(String), state: 'open', kind: 'harassment', text: 'hurts', ...place },
        ...{ created_at: expect.any(String), answered_at: null, note: null },
      });
      const told = { id: report.id, state: 'open', kind: 'harassment', ...place };
      expect((await hers.dispatch('PARLEY_REPORT_CREATE')).d).toEqual(told);
      expect((await his.dispatch('PARLEY_REPORT_CREATE')).d).toEqual(told);

      // The same person's second report of a message is the first.
      expect(await ben.ask('POST', on(message), { kind: 'spam' })).toMatchObject({ id: report.id, kind: 'harassment' });

      const seen = { reporter: { id: idOf(ben) }, author: { id: idOf(cleo) }, answered_by: null };
      await expect.poll(() => listed(owner)).toMatchObject([{ ...report, ...seen, message: { content: 'rude' } }]);
      for (const by of [ben, cleo])
        expect(await by.request('GET', `/guilds/${guild.id}/reports`)).toMatchObject({ body: { code: 50013 } });

      const handle = { type: 'report.handle', id: 'answer', guild_id: guild.id, report_id: report.id };
      const answered = { state: 'answered', note: 'looking into it' };
      const answers = [await hers.command({ ...handle, ...answered }), await hers.command({ ...handle, ...answered })];
      expect(answers).toMatchObject([
        { ok: true, result: answered },
        { ok: true, result: answered },
      ]);
      expect((await his.dispatch('PARLEY_REPORT_UPDATE')).d).toEqual({ ...told, state: 'answered' });
      const path = `/guilds/${guild.id}/reports/${report.id}`;
      for (const by of [ben, cleo])
        expect(await by.request('PATCH', path, { state: 'closed' })).toMatchObject({ body: { code: 50013 } });
      await owner.ask('PATCH', path, { state: 'answered', note: 'they were warned' });
      const closed = await owner.ask('PATCH', path, { state: 'closed' });
      expect(closed).toMatchObject({ state: 'closed', note: 'they were warned', answered_by: { id: idOf(owner) } });
      expect(await owner.request('PATCH', path, { state: 'answered' })).toMatchObject({ status: 400 });
      await expect.poll(() => own(ben)).toMatchObject([{ id: report.id, state: 'closed', note: 'they were warned' }]);
      await expect.poll(() => listed(owner, '?state=closed')).toHaveLength(1);
      expect(await listed(owner, '?state=open')).toEqual([]);
      expect(await own(cleo)).toEqual([]);

      // Whatever comes later has come, and nothing of this came before it.
      await owner.send(guild.channel.id, 'later');
      await theirs.dispatch('MESSAGE_CREATE', (d) => d.content === 'later');
      for (const name of ['PARLEY_REPORT_CREATE', 'PARLEY_REPORT_UPDATE']) expect(theirs.dispatches(name)).toEqual([]);
      for (const socket of [hers, his, theirs]) await socket.cut();
    });

    it('are told to those who were away, once they are back', async () => {
      const message = await cleo.send(guild.channel.id, 'again');
      const socket = await connect(owner);
      const before = socket.session();
      await socket.cut();
      const { id } = await ben.ask<Report>('POST', on(message), { kind: 'other' });
      const resumed = await GatewayClient.resumed(instance.url, owner.account!.token, before);
      expect(resumed.dispatches('PARLEY_REPORT_CREATE').map(({ d }) => d.id)).toEqual([id]);
      await resumed.cut();
    });

    it('about a moderator are neither shown to that moderator nor handled by them', async () => {
      const message = await owner.send(guild.channel.id, 'mine');
      const { id } = await ben.ask<Report>('POST', on(message), { kind: 'hate' });
      await expect.poll(async () => (await own(ben)).map((report) => report.id)).toContain(id);
      expect((await listed(owner)).map((report) => report.id)).not.toContain(id);
      const path = `/guilds/${guild.id}/reports/${id}`;
      expect(await owner.request('PATCH', path, { state: 'closed' })).toMatchObject({ status: 404 });
    });

    it('go to the administrators from direct channels, and nobody else lists or handles those', async () => {
      const direct = await cleo.openDirect(idOf(ben));
      const message = await cleo.send(direct.id, 'psst');
      expect(await cleo.request('POST', on(message, direct), { kind: 'spam' })).toMatchObject({ status: 400 });
      expect(await owner.request('POST', on(message, direct), { kind: 'spam' })).toMatchObject({
        body: { code: 10003 },
      });
      const { id } = await ben.ask<Report>('POST', on(message, direct), { kind: 'spam', text: 'unasked' });
      for (const by of [ben, cleo]) {
        expect(await by.request('GET', '/reports')).toMatchObject({ status: 403, body: { code: 50001 } });
        expect(await by.request('PATCH', `/reports/${id}`, { state: 'closed' })).toMatchObject({ status: 403 });
      }
      expect((await listed(owner)).map((report) => report.id)).not.toContain(id);
    });
  });
