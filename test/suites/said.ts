/** What a message carries beside its text, end to end: mentions of roles, forwards, flags, embeds. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Api, type Channel, joined, type Message, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';

const MENTION_EVERYONE = 1n << 17n;

export const saidSuite = (start: StartInstance) =>
  describe('a message', () => {
    let instance: Instance;
    let owner: Api;
    let ben: Api;
    let cleo: Api;
    let guild: { readonly id: string; readonly channel: Channel };
    let hidden: Channel;
    /** Ben has it, and anybody may mention it. */
    let open: string;
    /** Ben has it, and nobody may mention it who may not mention everyone. */
    let shut: string;

    beforeAll(async () => {
      instance = await start({ PARLEY_LIMIT_SEND: 'off', PARLEY_LIMIT_GLOBAL: 'off' });
      owner = instance.api.as(await instance.api.register(someName('ada')));
      guild = await owner.createGuild('Said');
      const [first, second] = (await joined(owner, guild, 'ben', 2)) as [Account, Account];
      ben = instance.api.as(first);
      cleo = instance.api.as(second);
      const { roles } = await owner.ask<{ roles: { id: string; permissions: string }[] }>('GET', `/guilds/${guild.id}`);
      const permissions = String(BigInt(roles[0]!.permissions) & ~MENTION_EVERYONE);
      await owner.ask('PATCH', `/guilds/${guild.id}/roles/${guild.id}`, { permissions });
      const role = async (name: string, mentionable: boolean) => {
        const { id } = await owner.ask<{ id: string }>('POST', `/guilds/${guild.id}/roles`, { name, mentionable });
        await owner.ask('PUT', `/guilds/${guild.id}/members/${first.id}/roles/${id}`);
        return id;
      };
      open = await role('open', true);
      shut = await role('shut', false);
      hidden = await owner.createChannel(guild.id, {
        name: 'hidden',
        permission_overwrites: [{ id: guild.id, type: 0, allow: '0', deny: '1024' }],
      });
    });

    afterAll(() => instance?.close());

    const mentioned = async (by: Api) => {
      const states = await by.ask<{ channel_id: string; mention_count: number }[]>('GET', '/users/@me/read-states');
      return states.find((state) => state.channel_id === guild.channel.id)?.mention_count;
    };

    it('mentions roles that its author may mention, which counts for those who have them, and an edit adds none', async () => {
      const socket = await GatewayClient.identified(instance.url, ben.account!.token);
      const content = `<@&${open}> <@&${shut}> @everyone`;
      await expect.poll(async () => (await cleo.send(guild.channel.id, content)).mention_roles).toEqual([open]);
      const told = await socket.dispatch('MESSAGE_CREATE', (d) => d.content === content);
      expect(told.d).toMatchObject({ mention_everyone: false, mentions: [] });
      await ben.send(guild.channel.id, 'read');
      await expect.poll(() => mentioned(ben)).toBe(0);
      const by = async (api: Api, body: object) => api.send(guild.channel.id, { content, ...body });
      const { id } = await by(cleo, {});
      await expect.poll(() => mentioned(ben)).toBe(1);
      expect(await by(owner, {})).toMatchObject({ mention_everyone: true, mention_roles: [open, shut] });
      await expect.poll(() => mentioned(ben)).toBe(2);
      const some = { allowed_mentions: { parse: ['users'], roles: [shut] } };
      expect(await by(owner, some)).toMatchObject({ mention_everyone: false, mention_roles: [shut] });
      await expect.poll(() => mentioned(ben)).toBe(3);
      const plain = await owner.send(guild.channel.id, 'nobody');
      const edit = (message: string, api: Api, body: object) =>
        api.ask<Message>('PATCH', `/channels/${guild.channel.id}/messages/${message}`, body);
      expect(await edit(plain.id, owner, { content })).toMatchObject({ mention_roles: [open, shut] });
      expect(await edit(id, cleo, { content, allowed_mentions: { parse: [] } })).toMatchObject({ mention_roles: [] });
      await expect.poll(() => mentioned(ben)).toBe(2);
      await socket.cut();
    });

    it('forwards a message that its author can read, without anything that it says', async () => {
      const source = await owner.send(hidden.id, 'secret');
      const forward = (by: Api, to: Channel, more: object = {}) =>
        by.request<Message>('POST', `/channels/${to.id}/messages`, {
          message_reference: { type: 1, channel_id: hidden.id, message_id: source.id, ...more },
        });
      const reference = { type: 1, channel_id: hidden.id, message_id: source.id, guild_id: guild.id };
      const shown = { content: '', embeds: [], type: 0, message_reference: reference, message_snapshots: [] };
      const { body } = await forward(owner, guild.channel);
      expect(body).toMatchObject(shown);
      const asked = `/channels/${guild.channel.id}/messages/${body.id}`;
      await expect.poll(async () => (await ben.request('GET', asked)).body).toMatchObject(shown);
      const history = await owner.request<{ versions: object[] }>('GET', `${asked}/history`);
      expect(Object.keys(history.body.versions[0]!)).toEqual(['content', 'embeds', 'timestamp', 'sequence']);
      const unknown = {
        code: 50035,
        errors: { message_reference: { _errors: [{ code: 'REPLIES_UNKNOWN_MESSAGE' }] } },
      };
      expect(await forward(ben, guild.channel)).toMatchObject({ status: 400, body: unknown });
      expect(await forward(owner, guild.channel, { message_id: '1' })).toMatchObject({ status: 400, body: unknown });
      expect(await owner.request('PATCH', asked, { content: 'mine' })).toMatchObject({ status: 403 });
    });

    it('carries embeds of 6,000 characters in any script over the socket, and no more', async () => {
      const socket = await GatewayClient.identified(instance.url, owner.account!.token);
      const embeds = (character: string, description = 4096) => [
        {
          description: character.repeat(description),
          fields: [{ name: character.repeat(256), value: character.repeat(1024) }],
        },
        { footer: { text: character.repeat(624) } },
      ];
      const send = (given: object[]) =>
        socket.command({ type: 'message.send', channel_id: guild.channel.id, embeds: given });
      for (const character of ['a', '語', '😀']) {
        expect(await send(embeds(character))).toMatchObject({ ok: true });
        const told = await socket.dispatch('MESSAGE_CREATE', (d) => d.embeds[0]?.description?.startsWith(character));
        expect(told.d.embeds[1].footer.text).toBe(character.repeat(624));
      }
      expect(await send([...embeds('a'), { title: 'b' }])).toMatchObject({
        error: { code: 50035, errors: { embeds: { _errors: [{ code: 'MAX_EMBED_SIZE_EXCEEDED' }] } } },
      });
      await socket.cut();
    });
  });
