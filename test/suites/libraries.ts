/** What every library must be able to do: connect, chat, know the members, and resume after its connection is cut. */

import { GatewayIntentBits } from 'discord-api-types/v10';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type Api, someName } from '../support/api.ts';
import { type EmbeddedInstance, startInstance } from '../support/instance.ts';
import { Watched } from '../support/watched.ts';

export const INTENTS =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMembers |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.GuildMessageReactions |
  GatewayIntentBits.MessageContent;

/** On a busy machine a Python library takes many seconds to load, and some wait for seconds before they connect again. */
const PATIENCE_MS = 60_000;

/** What the suite asks of a library. */
export interface Bot {
  /** Sends a message. @returns its id */
  send(channelId: string, content: string): Promise<string>;
  edit(channelId: string, messageId: string, content: string): Promise<unknown>;
  react(channelId: string, messageId: string, emoji: string): Promise<unknown>;
  delete(channelId: string, messageId: string): Promise<unknown>;
  /** Counts the members of the guild, as op 8 tells them. */
  members(guildId: string): Promise<number>;
  /** Ends the connection without a closing handshake. */
  cut(): unknown;
  end(): unknown;
}

/** What it hears: `READY`, `RESUMED`, the text of a message, `edited: ` and the new one, `reacted: ` and the emoji, `deleted`. */
export type Heard = (what: string) => void;

/** @param context skips the test, saying why, where the library cannot be had */
export type StartBot = (url: string, token: string, heard: Heard, context: TestContext) => Promise<Bot>;

export const librariesSuite = (libraries: Readonly<Record<string, StartBot>>) =>
  describe('an unmodified library', () => {
    let instance: EmbeddedInstance;
    let person: Api;
    let guild: Awaited<ReturnType<Api['createGuild']>>;

    beforeAll(async () => {
      instance = await startInstance();
      person = instance.api.as(await instance.api.register(someName('ada')));
      guild = await person.createGuild('Analytical Engines');
    });
    afterAll(() => instance?.close());

    for (const [library, start] of Object.entries(libraries))
      it(
        `${library} connects, chats, knows the members and resumes after a cut`,
        async (context) => {
          const { token } = await person.createBot(`bot of ${library}`, guild.id);
          const channelId = guild.channel.id;
          const heard: string[] = [];
          const arrived = new Watched();
          const until = (what: string) =>
            arrived.until(
              () => heard.includes(what),
              () => `${what} in ${heard.join(', ')}`,
              PATIENCE_MS,
            );
          const hear = (what: string) => {
            heard.push(what);
            arrived.changed();
          };
          const bot = await start(instance.url, token, hear, context);
          try {
            await until('READY');
            await person.send(channelId, 'one');
            await until('one');
            const two = await bot.send(channelId, 'two');
            expect(two).toMatch(/^\d+$/);
            await bot.edit(channelId, two, 'two and a half');
            await bot.react(channelId, two, '🦜');
            await bot.delete(channelId, two);
            await until('deleted');
            expect(await bot.members(guild.id)).toBeGreaterThanOrEqual(2);
            await bot.cut();
            await person.send(channelId, 'three');
            await until('RESUMED');
            await person.send(channelId, 'four');
            await until('four');
            expect(heard.filter((what) => what !== 'RESUMED')).toEqual([
              'READY',
              'one',
              'two',
              'edited: two and a half',
              'reacted: 🦜',
              'deleted',
              'three',
              'four',
            ]);
          } finally {
            await bot.end();
          }
        },
        2 * PATIENCE_MS,
      );
  });
