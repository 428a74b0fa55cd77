/** Other unmodified libraries of npm: each connects, chats, and resumes after its connection is cut. */

import { Agent } from 'node:https';
import { connect } from 'node:net';
import { Client as Core, GatewayDispatchEvents, GatewayIntentBits } from '@discordjs/core';
import { REST } from '@discordjs/rest';
import { WebSocketManager } from '@discordjs/ws';
import { Client as Eris } from 'eris';
import { type Intents, Client as Oceanic } from 'oceanic.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, type Api, someName } from './support/api.ts';
import { type EmbeddedInstance, startInstance } from './support/instance.ts';
import { Watched } from './support/watched.ts';

const INTENTS =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMembers |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.MessageContent;

/** What a test needs of a library. */
interface Bot {
  /** Sends a message. @returns its id */
  send(channelId: string, content: string): Promise<string>;
  /** Counts the members of the guild, as op 8 tells them. */
  members(guildId: string): Promise<number>;
  /** Ends the connection without a closing handshake. */
  cut(): void;
  end(): unknown;
}

/** What it hears: `READY`, `RESUMED`, and the text of messages. */
type Heard = (what: string) => void;

type Start = (url: string, token: string, heard: Heard) => Promise<Bot>;

/** The library's own parts, which it keeps to itself. */
const shardOf = (gateway: WebSocketManager) =>
  (
    gateway as unknown as { strategy: { shards: Map<number, { connection: { terminate(): void } }> } }
  ).strategy.shards.get(0)!;

const core: Start = async (url, token, heard) => {
  const rest = new REST({ api: `${url}/api`, version: '10' }).setToken(token);
  const gateway = new WebSocketManager({ token, intents: INTENTS, rest });
  const client = new Core({ rest, gateway });
  client.on(GatewayDispatchEvents.Ready, () => heard('READY'));
  client.on(GatewayDispatchEvents.Resumed, () => heard('RESUMED'));
  client.on(GatewayDispatchEvents.MessageCreate, ({ data }) => heard(data.content));
  await gateway.connect();
  return {
    send: async (channelId, content) => (await client.api.channels.createMessage(channelId, { content })).id,
    members: async (guild_id) => (await client.requestGuildMembers({ guild_id, query: '', limit: 0 })).members.length,
    cut: () => shardOf(gateway).connection.terminate(),
    end: () => gateway.destroy(),
  };
};

const oceanic: Start = async (url, token, heard) => {
  const client = new Oceanic({
    auth: `Bot ${token}`,
    rest: { baseURL: `${url}/api/v10` },
    gateway: { intents: INTENTS as Intents, connectionTimeout: 5_000 },
  });
  // 'ready' comes after RESUMED too.
  client.on('packet', ({ t }) => t !== null && /^RE(ADY|SUMED)$/.test(t) && heard(t));
  client.on('messageCreate', ({ content }) => heard(content));
  client.on('error', () => {});
  await client.connect();
  return {
    send: async (channelId, content) => (await client.rest.channels.createMessage(channelId, { content })).id,
    members: async (guildId) => (await client.guilds.get(guildId)!.fetchMembers()).length,
    cut: () => (client.shards.get(0) as unknown as { ws: { terminate(): void } }).ws.terminate(),
    end: () => client.disconnect(false),
  };
};

/** eris speaks nothing but HTTPS: its requests go out in clear from here. */
class InClear extends Agent {
  private readonly port: number;

  constructor(port: number) {
    super();
    this.port = port;
  }

  override createConnection(): ReturnType<typeof connect> {
    return connect(this.port, '127.0.0.1');
  }
}

const eris: Start = async (url, token, heard) => {
  const client = new Eris(`Bot ${token}`, {
    intents: INTENTS,
    rest: { agent: new InClear(Number(new URL(url).port)), domain: '127.0.0.1', baseURL: '/api/v10' },
  });
  // 'ready' comes after RESUMED too.
  client.on('rawWS', ({ t }) => t != null && /^RE(ADY|SUMED)$/.test(t) && heard(t));
  client.on('messageCreate', ({ content }) => heard(content));
  client.on('error', () => {});
  await client.connect();
  return {
    send: async (channelId, content) => (await client.createMessage(channelId, content)).id,
    members: async (guildId) => (await client.guilds.get(guildId)!.fetchMembers({})).length,
    cut: () => (client.shards.get(0) as unknown as { ws: { terminate(): void } }).ws.terminate(),
    end: () => client.disconnect({ reconnect: false }),
  };
};

let instance: EmbeddedInstance;
let person: Api;
let guild: Awaited<ReturnType<Api['createGuild']>>;

beforeAll(async () => {
  instance = await startInstance();
  person = instance.api.as(await instance.api.register(someName('ada')));
  guild = await person.createGuild('Analytical Engines');
});
afterAll(() => instance?.close());

it.each([
  ['@discordjs/core', core],
  ['oceanic.js', oceanic],
  ['eris', eris],
] as const)('%s connects, chats, knows the members and resumes after a cut', async (library, start) => {
  const account: Account = await person.createBot(`bot of ${library}`, guild.id);
  const heard: string[] = [];
  const arrived = new Watched();
  const until = (what: string) =>
    arrived.until(
      () => heard.includes(what),
      () => `${what} in ${heard.join(', ')}`,
    );
  const bot = await start(instance.url, account.token, (what) => {
    heard.push(what);
    arrived.changed();
  });
  try {
    await until('READY');
    await person.send(guild.channel.id, 'one');
    await until('one');
    expect(await bot.send(guild.channel.id, 'two')).toMatch(/^\d+$/);
    await until('two');
    expect(await bot.members(guild.id)).toBeGreaterThanOrEqual(2);
    bot.cut();
    await person.send(guild.channel.id, 'three');
    await until('RESUMED');
    await person.send(guild.channel.id, 'four');
    await until('four');
    expect(heard.filter((what) => what !== 'RESUMED')).toEqual(['READY', 'one', 'two', 'three', 'four']);
  } finally {
    await bot.end();
  }
});
