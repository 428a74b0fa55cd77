/** Any node takes any command: two nodes on the same stream at once have the effect of one. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES } from '../schemas/settings.ts';
import { type Account, Api, type Channel, joined, PASSWORD, someName, wholeHistory } from './support/api.ts';
import { type Cluster, startCluster } from './support/cluster.ts';
import { GatewayClient } from './support/gateway-client.ts';
import { metric } from './support/metrics.ts';
import { replayStream } from './support/replay.ts';

const ALL = ROLES.join(',');
const NODES = ['one', 'other'] as const;

let cluster: Cluster<(typeof NODES)[number]>;
let owner: Account;
let channel: Channel;
let guild: { id: string; channel: Channel };

const on = (node: (typeof NODES)[number], account?: Account) => new Api(cluster.url(node), account);
const either = (index: number) => NODES[index % NODES.length]!;

beforeAll(async () => {
  cluster = await startCluster({
    processes: { one: ALL, other: ALL },
    // Sockets that are held by other processes are taken over and closed like any.
    envOf: (node) => (node === 'other' ? { PARLEY_THREADS: '2' } : {}),
  });
  owner = await on('one').register(someName('owner'));
  guild = await on('one', owner).createGuild('Two nodes');
  channel = guild.channel;
});

afterAll(() => cluster?.close());

describe('the same nonce', () => {
  it('used 100 times at once over two nodes makes one message', async () => {
    const said = { content: 'once', nonce: 'the-same-nonce', enforce_nonce: true };
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => on(either(index), owner).send(channel.id, said)),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    for (const node of NODES) {
      const history = await on(node, owner).history(channel.id, '?limit=100');
      expect(history.map(({ content }) => content)).toEqual(['once']);
    }
  });

  it('over the sockets of two nodes makes one message', async () => {
    const sockets = await Promise.all(NODES.map((node) => GatewayClient.identified(cluster.url(node), owner.token, 0)));
    const command = { type: 'message.send', id: 'one-id', channel_id: channel.id, content: 'once by socket' };
    for (let i = 0; i < 50; i += 1) for (const socket of sockets) socket.write(100, command);
    const results = (socket: GatewayClient) => socket.frames.filter((frame) => frame.op === 101).map(({ d }) => d);
    for (const socket of sockets) await socket.until(() => results(socket).length === 50, '50 results');
    const ids = sockets.flatMap(results).map((d) => d.result?.id);
    expect(new Set(ids).size).toBe(1);
    expect((await on('one', owner).history(channel.id)).filter(({ id }) => id === ids[0])).toHaveLength(1);
    for (const socket of sockets) await socket.cut();
  });
});

describe('a write over one node', () => {
  it('is visible to its author over the other at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [here, there] = [on(either(round), owner), on(either(round + 1), owner)];
      const { id } = await here.createChannel(guild.id, { name: `round-${round}` });
      const message = await there.send(id, 'first');
      expect((await here.history(id)).map(({ id }) => id)).toEqual([message.id]);
      const edited = await here.ask('PATCH', `/channels/${id}/messages/${message.id}`, { content: 'edited' });
      expect(edited).toMatchObject({ id: message.id, content: 'edited' });
      expect((await there.history(id)).map(({ content }) => content)).toEqual(['edited']);
      const channels = await there.ask<{ id: string }[]>('GET', `/guilds/${guild.id}/channels`);
      expect(channels.map(({ id }) => id)).toContain(id);
    }
  });

  it('takes effect on the other: whoever left hears nothing more', async () => {
    const [account] = await joined(on('one', owner), guild, 'leaver', 1);
    const listening = await GatewayClient.identified(cluster.url('other'), account!.token);
    await on('one', account).leave(guild.id);
    const { id } = await on('one', owner).send(channel.id, 'now that they are gone');
    await listening.dispatch('GUILD_DELETE', (d) => d.id === guild.id);
    const witness = await GatewayClient.identified(cluster.url('other'), owner.token);
    await on('one', owner).send(channel.id, 'heard by those who stayed');
    await witness.dispatch('MESSAGE_CREATE', ({ content }) => content === 'heard by those who stayed');
    expect(listening.dispatches('MESSAGE_CREATE').map(({ d }) => d.id)).not.toContain(id);
    expect(listening.dispatches('MESSAGE_CREATE')).toEqual([]);
    expect((await on('other', account).request('GET', `/channels/${channel.id}/messages`)).status).toBe(404);
    for (const socket of [listening, witness]) await socket.cut();
  });
});

describe('a session that is resumed on the other node', () => {
  it('leaves its socket on the first, each time that it moves', async () => {
    let client = await GatewayClient.identified(cluster.url('one'), owner.token);
    const session = client.session();
    for (const node of ['other', 'one', 'other'] as const) {
      const next = await GatewayClient.connect(cluster.url(node));
      next.resume(owner.token, { ...session, seq: client.seq });
      await next.dispatch('RESUMED');
      expect(await client.closed()).toBe(4009);
      client = next;
    }
    const { id } = await on('one', owner).send(channel.id, 'where the session is now');
    await client.dispatch('MESSAGE_CREATE', (message) => message.id === id);
    await client.cut();
  });
});

describe('signing out over one node', () => {
  const again = async ({ username }: Account) => {
    const body = { username, password: PASSWORD };
    const { token, user } = await on('one').ask<{ token: string; user: { id: string } }>('POST', '/login', body);
    return { id: user.id, username, token, authorization: `Bearer ${token}` };
  };
  const hearing = (account: Account) => GatewayClient.identified(cluster.url('other'), account.token, 0);
  const isRefusedByBoth = async (account: Account) => {
    for (const node of NODES) expect((await on(node, account).request('GET', '/users/@me')).status).toBe(401);
    const socket = await GatewayClient.connect(cluster.url('other'));
    socket.write(2, { token: account.token, intents: 0, properties: {} });
    expect(await socket.closed()).toBe(4004);
  };

  it('closes the sockets of that sign-in on the other, and ends its token there', async () => {
    const first = await on('one').register(someName('leaving'));
    const second = await again(first);
    const [ended, kept] = await Promise.all([hearing(first), hearing(second)]);
    await on('one', first).ask('POST', '/auth/logout');
    expect(await ended.closed()).toBe(4004);
    await isRefusedByBoth(first);
    expect((await on('other', second).request('GET', '/users/@me')).status).toBe(200);
    await on('one', second).ask('POST', '/auth/logout/everywhere');
    expect(await kept.closed()).toBe(4004);
    await isRefusedByBoth(second);
  });

  it('by a new password closes every socket on the other, and only the new token is taken there', async () => {
    const former = await on('one').register(someName('careful'));
    const [here, there] = await Promise.all([hearing(former), hearing(await again(former))]);
    const body = { password: PASSWORD, new_password: `${PASSWORD} and more` };
    const { token } = await on('one', former).ask<{ token: string }>('POST', '/auth/password', body);
    expect(await Promise.all([here.closed(), there.closed()])).toEqual([4004, 4004]);
    await isRefusedByBoth(former);
    const renewed = { ...former, token, authorization: `Bearer ${token}` };
    expect((await on('other', renewed).request('GET', '/users/@me')).status).toBe(200);
    await (await hearing(renewed)).cut();
  });
});

describe('a replay that follows the log at one node', () => {
  it('ends when its reader changes the password at the other', async () => {
    const { authorization } = owner;
    const { body } = await fetch(`${cluster.url('one')}/v1/events?follow=true`, { headers: { authorization } });
    const reader = body!.getReader();
    await reader.read();
    const passwords = { password: PASSWORD, new_password: `${PASSWORD} again` };
    const { token } = await on('other', owner).ask<{ token: string }>('POST', '/auth/password', passwords);
    owner = { ...owner, token, authorization: `Bearer ${token}` };
    while (!(await reader.read()).done) {}
  });
});

describe('one channel under load from two nodes', () => {
  const MESSAGES = 150;
  const conflicts = async () => {
    const counted = await Promise.all(
      NODES.map((node) => metric(cluster.process(node).url, 'parley_append_conflicts_total')),
    );
    return counted.reduce((sum, count) => sum + count, 0);
  };

  it('loses no update, keeps its numbers dense, and counts its conflicts', async () => {
    const { id } = await on('one', owner).createChannel(guild.id, { name: 'hammered' });
    const people = await joined(on('one', owner), guild, 'smith', 4);
    const before = await conflicts();
    const sockets = await Promise.all(
      people.map((account, index) => GatewayClient.identified(cluster.url(either(index)), account.token, 0)),
    );
    const results = await Promise.all(
      sockets.flatMap((socket, who) =>
        Array.from({ length: MESSAGES }, (_, n) =>
          socket.command({ type: 'message.send', channel_id: id, content: `${who}: ${n}` }),
        ),
      ),
    );
    expect(results.filter(({ ok }) => !ok)).toEqual([]);

    // Both react to the same messages. No reaction may overwrite another's.
    const first = results.slice(0, 20);
    const reactions = await Promise.all(
      first.flatMap(({ result }) =>
        sockets.map((socket) =>
          socket.command({ type: 'reaction.add', channel_id: id, message_id: result.id, emoji: '🔨' }),
        ),
      ),
    );
    expect(reactions.filter(({ ok }) => !ok)).toEqual([]);

    const events = await replayStream(on('one', owner), `channel-${id}`);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    const posted = events.filter(({ type }) => type === 'message-posted');
    expect(posted.map(({ data }) => data.ordinal)).toEqual(posted.map((_, index) => index + 1));
    expect(posted.map(({ data, sequence }) => `${data.messageId} ${sequence}`).sort()).toEqual(
      results.map(({ result, sequence }) => `${result.id} ${sequence}`).sort(),
    );
    // Messages of one person in one session keep their order.
    const history = await wholeHistory(on('other', people[1]), id);
    for (const who of sockets.keys()) {
      const said = history.map(({ content }) => content).filter((content) => content.startsWith(`${who}: `));
      expect(said).toEqual(Array.from({ length: MESSAGES }, (_, n) => `${who}: ${n}`));
    }
    expect(events.filter(({ type }) => type === 'reaction-added')).toHaveLength(first.length * sockets.length);
    expect(await conflicts()).toBeGreaterThan(before);
    for (const socket of sockets) await socket.cut();
  });
});
