/** Runs an unmodified discord.js against the built server, through a front and across kill -9. */

import { Client, Events, GatewayIntentBits, type Message, type TextChannel } from 'discord.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, someName } from '../support/api.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { Watched } from '../support/watched.ts';

interface RawPacket {
  readonly op: number;
  readonly s: number | null;
  readonly t: string | null;
  readonly d: { readonly id?: string; readonly message_id?: string } | null;
}

const CONVERSATION = new Set([
  'MESSAGE_CREATE',
  'MESSAGE_UPDATE',
  'MESSAGE_DELETE',
  'MESSAGE_REACTION_ADD',
  'MESSAGE_REACTION_REMOVE',
]);

export const discordSuite = (start: StartInstance) =>
  describe('an unmodified discord.js', () => {
    let instance: Instance;
    let client: Client;
    let person: Api;
    let channel: TextChannel;
    let channelId: string;
    /** What the client knew at the moment it became ready. */
    const whenReady: unknown[] = [];
    const packets: RawPacket[] = [];
    const arrived = new Watched();
    /** What was done in the channel, in order. The raw packets must show each of these once. */
    const done: string[] = [];

    const seen = () =>
      packets.filter(({ t }) => CONVERSATION.has(t ?? '')).map(({ t, d }) => `${t} ${d!.message_id ?? d!.id}`);
    const count = (type: string) => packets.filter(({ t }) => t === type).length;
    const untilSeen = () =>
      arrived.until(
        () => seen().length >= done.length,
        () => `${done.length} packets; there are:\n${seen().join('\n')}`,
      );
    const say = async (content: string): Promise<string> => {
      const { id } = await person.send(channelId, content);
      done.push(`MESSAGE_CREATE ${id}`);
      return id;
    };

    beforeAll(async () => {
      // People have the default limits. The bot has higher ones, so that the test does not wait for its limits.
      instance = await start({ PARLEY_LIMIT_SEND: 'off', PARLEY_LIMIT_BOT_SEND: 'off' });
      person = instance.api.as(await instance.api.register(someName('ada')));
      const guild = await person.createGuild('Analytical Engines');
      channelId = guild.channel.id;
      const bot = await person.createBot('difference', guild.id);

      client = new Client({
        intents: [
          GatewayIntentBits.Guilds,
          GatewayIntentBits.GuildMembers,
          GatewayIntentBits.GuildMessages,
          GatewayIntentBits.GuildMessageReactions,
          GatewayIntentBits.MessageContent,
        ],
        rest: { api: `${instance.url}/api`, version: '10' },
      });
      client.on(Events.Raw, (packet: RawPacket) => {
        packets.push(packet);
        arrived.changed();
      });
      client.on(Events.Error, (error) => arrived.fail(error));
      const ready = new Promise((resolve) => {
        client.once(Events.ClientReady, ({ user, guilds }) => {
          whenReady.push(user?.username, ...guilds.cache.map((each) => `${each.name}, available: ${each.available}`));
          resolve(undefined);
        });
      });
      await client.login(bot.token);
      await ready;
      channel = (await client.channels.fetch(channelId)) as TextChannel;
    });

    afterAll(async () => {
      await client?.destroy();
      await instance?.close();
    });

    it('logs in, and knows itself and its guild when it is ready', () => {
      expect(whenReady).toEqual(['difference', 'Analytical Engines, available: true']);
      expect(channel.isTextBased()).toBe(true);
    });

    it('fetches the members over the socket: all of them, some by id, some by the beginning of their name', async () => {
      const { members } = channel.guild;
      const ada = person.account!.id;
      const both = [ada, client.user!.id].toSorted();
      expect([...(await members.fetch()).keys()].toSorted()).toEqual(both);
      expect([...(await members.fetch({ user: [ada, '1'] })).keys()]).toEqual([ada]);
      expect([...(await members.fetch({ query: 'diff' })).keys()]).toEqual([client.user!.id]);
    });

    it('sends, replies, edits, reacts and deletes', async () => {
      const sent = await channel.send('one');
      done.push(`MESSAGE_CREATE ${sent.id}`);
      expect(sent.content).toBe('one');
      const reply = await sent.reply('two');
      done.push(`MESSAGE_CREATE ${reply.id}`);
      expect(reply.reference?.messageId).toBe(sent.id);
      expect((await sent.edit('one, edited')).content).toBe('one, edited');
      done.push(`MESSAGE_UPDATE ${sent.id}`);
      await sent.react('👍');
      done.push(`MESSAGE_REACTION_ADD ${sent.id}`);
      await reply.delete();
      done.push(`MESSAGE_DELETE ${reply.id}`);
      await untilSeen();
      expect(seen()).toEqual(done);
    });

    it('sees what others do', async () => {
      const heard = new Promise<Message>((resolve) => client.once(Events.MessageCreate, resolve));
      await say('three');
      const message = await heard;
      expect(message.content).toBe('three');
      expect(message.author.id).toBe(person.account!.id);
      await person.ask(
        'PUT',
        `/channels/${channelId}/messages/${message.id}/reactions/${encodeURIComponent('🎉')}/@me`,
      );
      done.push(`MESSAGE_REACTION_ADD ${message.id}`);
      await untilSeen();
      expect(seen()).toEqual(done);
    });

    it('pages history', async () => {
      for (const content of ['four', 'five', 'six', 'seven']) await say(content);
      // Messages of others appear in the history a moment later.
      const newestThree = () => channel.messages.fetch({ limit: 3, cache: false });
      await expect
        .poll(async () => (await newestThree()).map((message) => message.content))
        .toEqual(['seven', 'six', 'five']);
      const newest = await newestThree();
      const older = await channel.messages.fetch({ limit: 100, before: newest.lastKey()!, cache: false });
      expect(older.map((message) => message.content)).toEqual(['four', 'three', 'one, edited']);
      const newer = await channel.messages.fetch({ limit: 2, after: older.firstKey()!, cache: false });
      expect(newer.map((message) => message.content).sort()).toEqual(['five', 'six']);
    });

    it('resumes after kill -9: one READY, then RESUMED, and every event once, in order', async () => {
      const beforeKill = ['eight', 'nine', 'ten'];
      for (const content of beforeKill) await say(content);
      await instance.server().kill();
      await instance.start();
      for (const content of ['eleven', 'twelve']) await say(content);
      await arrived.until(() => count('RESUMED') > 0, 'RESUMED');
      await say('thirteen');
      const sent = await channel.send('fourteen');
      done.push(`MESSAGE_CREATE ${sent.id}`);
      await untilSeen();

      expect(count('READY')).toBe(1);
      expect(count('RESUMED')).toBe(1);
      expect(seen()).toEqual(done);
      const positions = packets.flatMap(({ s }) => (typeof s === 'number' ? [s] : []));
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
    });
  });
