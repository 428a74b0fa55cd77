/** To outsiders a private channel does not exist: every answer about it equals that about a channel nobody made. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../commands/features/index.ts';
import { type Api, joined, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { everyRoute, filled, type RouteShape } from '../support/routes.ts';

const VIEW_CHANNEL = String(1n << 10n);
/** Well formed for every route and command it is sent to. */
const BODY = { content: 'hello', name: 'hello', max_age: 0, emoji: '👍' };
const OVERWRITE = { type: 0, allow: '0', deny: '0' };

export const privacySuite = (start: StartInstance) =>
  describe('a channel that an outsider may not see', () => {
    let instance: Instance;
    let outsider: Api;
    let routes: RouteShape[];
    /** The channel and a message in it, by kind. */
    const hidden = new Map<string, { channelId: string; messageId: string }>();
    const nothing = { channelId: '4194304000001', messageId: '4194304000002' };

    beforeAll(async () => {
      // A limit answers before anything is looked up, so on a fast machine it would answer in place of what is tested.
      const limits = ['SEND', 'GLOBAL', 'REACTION', 'PIN', 'THREAD_CREATE', 'THREAD_MEMBER', 'INVITE_CREATE', 'REPORT'];
      instance = await start(Object.fromEntries(limits.map((name) => [`PARLEY_LIMIT_${name}`, 'off'])));
      const owner = instance.api.as(await instance.api.register(someName('owner')));
      const guild = await owner.createGuild('Half open');
      const [member, friend] = await joined(owner, guild, 'member', 2);
      outsider = instance.api.as(member!);
      const denied = await owner.createChannel(guild.id, {
        name: 'staff',
        permission_overwrites: [{ id: guild.id, type: 0, allow: '0', deny: VIEW_CHANNEL }],
      });
      const elsewhere = (await owner.createGuild('Elsewhere')).channel;
      const direct = await owner.openDirect(friend!.id);
      for (const [what, channel] of Object.entries({ denied, elsewhere, direct })) {
        hidden.set(what, { channelId: channel.id, messageId: (await owner.send(channel.id, 'secret')).id });
      }
      routes = (await everyRoute(instance.url)).filter((route) => route.path.startsWith('/channels/{'));
      expect(routes.length).toBeGreaterThan(8);
    });

    afterAll(() => instance?.close());

    const kinds = ['denied', 'elsewhere', 'direct'];

    // `every-route.int.spec.ts` asks as others, and of channels that are hidden for other reasons.
    it.each(['denied'])('looks like one that does not exist on every route (%s)', async (kind) => {
      const bodyFor = ({ path, takesBody }: RouteShape, messageId: string) => {
        if (!takesBody) return undefined;
        return path.includes('/permissions/')
          ? OVERWRITE
          : { ...BODY, kind: 'spam', messages: [messageId, '4194304000003'] };
      };
      const ask = async (route: RouteShape, { channelId, messageId }: typeof nothing) => {
        const values = route.parameters.map((name, i) => {
          if (i === 0) return channelId;
          if (name === 'emoji') return '👍';
          return name === 'message_id' ? messageId : nothing.messageId;
        });
        const { status, body } = await outsider.request(
          route.method,
          filled(route.path, values),
          bodyFor(route, messageId),
        );
        return { status, body };
      };
      for (const route of routes) {
        const about = await ask(route, hidden.get(kind)!);
        expect(about, `${route.method} ${route.path}`).toEqual(await ask(route, nothing));
        expect(about.status, `${route.method} ${route.path}`).toBe(404);
      }
    });

    it.each(kinds)('looks like one that does not exist to every command (%s)', async (kind) => {
      const socket = await GatewayClient.identified(instance.url, outsider.account!.token);
      const ask = async (type: string, { channelId, messageId }: typeof nothing) => {
        const { id, ...result } = await socket.command({ ...BODY, type, channel_id: channelId, message_id: messageId });
        return result;
      };
      const types = commands
        .map(({ type }) => type)
        .filter((type) => /^(message|reaction|channel\.read|typing|invite)/.test(type));
      for (const type of types) {
        const about = await ask(type, hidden.get(kind)!);
        expect(about, type).toEqual(await ask(type, nothing));
        expect(about.ok, type).toBe(false);
      }
      await socket.cut();
    });

    it('is absent from everything the outsider is shown', async () => {
      const socket = await GatewayClient.identified(instance.url, outsider.account!.token);
      const shown = JSON.stringify([
        socket.frames,
        await outsider.ask('GET', '/users/@me/channels'),
        await outsider.ask('GET', '/users/@me/read-states'),
        await outsider.ask('GET', '/users/@me/guilds'),
      ]);
      for (const { channelId, messageId } of hidden.values()) {
        expect(shown).not.toContain(channelId);
        expect(shown).not.toContain(messageId);
      }
      await socket.cut();
    });
  });
