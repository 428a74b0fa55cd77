/** Other libraries of npm than discord.js, unmodified. */

import { Agent } from 'node:https';
import { connect } from 'node:net';
import { Client as Core, GatewayDispatchEvents } from '@discordjs/core';
import { REST } from '@discordjs/rest';
import { WebSocketManager } from '@discordjs/ws';
import { Client as Eris } from 'eris';
import { type Intents, Client as Oceanic } from 'oceanic.js';
import { INTENTS, librariesSuite, type StartBot } from './suites/libraries.ts';

/** The library's own parts, which it keeps to itself. */
const shardOf = (gateway: WebSocketManager) =>
  (
    gateway as unknown as { strategy: { shards: Map<number, { connection: { terminate(): void } }> } }
  ).strategy.shards.get(0)!;

const core: StartBot = async (url, token, heard) => {
  const rest = new REST({ api: `${url}/api`, version: '10' }).setToken(token);
  const gateway = new WebSocketManager({ token, intents: INTENTS, rest });
  const client = new Core({ rest, gateway });
  client.on(GatewayDispatchEvents.Ready, () => heard('READY'));
  client.on(GatewayDispatchEvents.Resumed, () => heard('RESUMED'));
  client.on(GatewayDispatchEvents.MessageCreate, ({ data }) => heard(data.content));
  client.on(GatewayDispatchEvents.MessageUpdate, ({ data }) => heard(`edited: ${data.content}`));
  client.on(GatewayDispatchEvents.MessageReactionAdd, ({ data }) => heard(`reacted: ${data.emoji.name}`));
  client.on(GatewayDispatchEvents.MessageDelete, () => heard('deleted'));
  await gateway.connect();
  return {
    send: async (channelId, content) => (await client.api.channels.createMessage(channelId, { content })).id,
    edit: (channelId, messageId, content) => client.api.channels.editMessage(channelId, messageId, { content }),
    react: (channelId, messageId, emoji) => client.api.channels.addMessageReaction(channelId, messageId, emoji),
    delete: (channelId, messageId) => client.api.channels.deleteMessage(channelId, messageId),
    members: async (guild_id) => (await client.requestGuildMembers({ guild_id, query: '', limit: 0 })).members.length,
    cut: () => shardOf(gateway).connection.terminate(),
    end: () => gateway.destroy(),
  };
};

const oceanic: StartBot = async (url, token, heard) => {
  const client = new Oceanic({
    auth: `Bot ${token}`,
    rest: { baseURL: `${url}/api/v10` },
    gateway: { intents: INTENTS as Intents, connectionTimeout: 5_000 },
  });
  // 'ready' comes after RESUMED too.
  client.on('packet', ({ t }) => t !== null && /^RE(ADY|SUMED)$/.test(t) && heard(t));
  client.on('messageCreate', ({ content }) => heard(content));
  client.on('messageUpdate', ({ content }) => heard(`edited: ${content}`));
  client.on('messageReactionAdd', (_, __, { emoji }) => heard(`reacted: ${emoji.name}`));
  client.on('messageDelete', () => heard('deleted'));
  client.on('error', () => {});
  await client.connect();
  return {
    send: async (channelId, content) => (await client.rest.channels.createMessage(channelId, { content })).id,
    edit: (channelId, messageId, content) => client.rest.channels.editMessage(channelId, messageId, { content }),
    react: (channelId, messageId, emoji) => client.rest.channels.createReaction(channelId, messageId, emoji),
    delete: (channelId, messageId) => client.rest.channels.deleteMessage(channelId, messageId),
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

const eris: StartBot = async (url, token, heard) => {
  const client = new Eris(`Bot ${token}`, {
    intents: INTENTS,
    rest: { agent: new InClear(Number(new URL(url).port)), domain: '127.0.0.1', baseURL: '/api/v10' },
  });
  // 'ready' comes after RESUMED too.
  client.on('rawWS', ({ t }) => t != null && /^RE(ADY|SUMED)$/.test(t) && heard(t));
  client.on('messageCreate', ({ content }) => heard(content));
  client.on('messageUpdate', ({ content }) => heard(`edited: ${content}`));
  client.on('messageReactionAdd', (_, emoji) => heard(`reacted: ${emoji.name}`));
  client.on('messageDelete', () => heard('deleted'));
  client.on('error', () => {});
  await client.connect();
  return {
    send: async (channelId, content) => (await client.createMessage(channelId, content)).id,
    edit: (channelId, messageId, content) => client.editMessage(channelId, messageId, content),
    react: (channelId, messageId, emoji) => client.addMessageReaction(channelId, messageId, emoji),
    delete: (channelId, messageId) => client.deleteMessage(channelId, messageId),
    members: async (guildId) => (await client.guilds.get(guildId)!.fetchMembers({})).length,
    cut: () => (client.shards.get(0) as unknown as { ws: { terminate(): void } }).ws.terminate(),
    end: () => client.disconnect({ reconnect: false }),
  };
};

librariesSuite({ '@discordjs/core': core, 'oceanic.js': oceanic, eris });
