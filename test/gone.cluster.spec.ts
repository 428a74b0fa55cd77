/** Stops each server of a cluster: what still works, what is refused, and how everything recovers. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROLES } from '../schemas/settings.ts';
import type { OwnServices } from '../services/port.ts';
import type { ServiceName } from '../services/ports.ts';
import { privateServices } from '../services/private.ts';
import { fastest } from '../stores/testing.ts';
import {
  type Account,
  type Answer,
  Api,
  type Channel,
  joined,
  type Message,
  PASSWORD,
  someName,
} from './support/api.ts';
import { type Cluster, startCluster } from './support/cluster.ts';
import { GatewayClient } from './support/gateway-client.ts';
import { metric } from './support/metrics.ts';
import { createNamespace, type Namespace } from './support/namespace.ts';
import { LIMITS_OFF } from './support/server.ts';

let own: OwnServices;

beforeAll(async () => {
  own = await privateServices();
  await own.start('postgres', 'views', 'redis', 'kafka', 'cassandra');
}, 400_000);

afterAll(() => own?.destroy());

interface Ready {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly degraded: readonly string[];
}

/** Two people on a cluster whose circuit breakers close soon after a server returns. */
class World {
  readonly #cluster: Cluster<'all'>;
  readonly owner: Api;
  readonly friend: Account;
  readonly channel: Channel;
  readonly guildId: string;
  readonly speaking: GatewayClient;
  readonly listening: GatewayClient;

  private constructor(
    cluster: Cluster<'all'>,
    owner: Api,
    friend: Account,
    guild: { id: string; channel: Channel },
    sockets: readonly [GatewayClient, GatewayClient],
  ) {
    this.#cluster = cluster;
    this.owner = owner;
    this.friend = friend;
    this.guildId = guild.id;
    this.channel = guild.channel;
    [this.speaking, this.listening] = sockets;
  }

  /** @param places the servers that hold the log, the vault and the views, by environment variable */
  static async begin(places: (namespace: Namespace) => Readonly<Record<string, string>> = () => ({})): Promise<World> {
    const namespace = await createNamespace(own.urls);
    const env = {
      ...LIMITS_OFF,
      PARLEY_LIMIT_REACTION: '3/60',
      PARLEY_CASSANDRA_OPEN_MS: '1000',
      PARLEY_REDIS_OPEN_MS: '1000',
      ...places(namespace),
    };
    const cluster = await startCluster({ processes: { all: ROLES.join(',') }, namespace, env });
    const url = cluster.url('all');
    const owner = new Api(url, await new Api(url).register(someName('owner')));
    const guild = await owner.createGuild('Gone');
    const [friend] = await joined(owner, guild, 'friend', 1);
    const identified = (account: Account) => GatewayClient.identified(url, account.token);
    const sockets = [await identified(owner.account!), await identified(friend!)] as const;
    return new World(cluster, owner, friend!, guild, sockets);
  }

  /** Not signed in. */
  get anybody(): Api {
    return new Api(this.owner.base);
  }

  get friendly(): Api {
    return this.owner.as(this.friend);
  }

  /** Sends one message over HTTP and one over a socket, and waits until the friend has received both. */
  async talk(words: string): Promise<Message> {
    const message = await this.owner.send(this.channel.id, `${words} by HTTP`);
    const result = await this.say(`${words} by socket`);
    expect(result).toMatchObject({ ok: true });
    for (const way of ['HTTP', 'socket'])
      await this.listening.dispatch('MESSAGE_CREATE', ({ content }) => content === `${words} by ${way}`);
    return message;
  }

  say(content: string) {
    return this.speaking.command({ type: 'message.send', channel_id: this.channel.id, content });
  }

  login(): Promise<Answer> {
    return this.anybody.request('POST', '/login', { username: this.friend.username, password: PASSWORD });
  }

  async unread(): Promise<number> {
    const states = await this.friendly.ask<{ channel_id: string; unread_count: number }[]>(
      'GET',
      '/users/@me/read-states',
    );
    return states.find(({ channel_id }) => channel_id === this.channel.id)!.unread_count;
  }

  history(): Promise<Message[]> {
    return this.friendly.history(this.channel.id, '?limit=100');
  }

  async ready(): Promise<Ready> {
    return (await (await fetch(`${this.owner.base}/ready`)).json()) as Ready;
  }

  /** The position through which the timelines hold every event, once they have come to rest. */
  async positionOfHistory(): Promise<number> {
    await vi.waitFor(async () => expect(await metric(this.owner.base, 'parley_view_lag_events')).toBe(0), PATIENCE);
    const { headers } = await this.owner.request('GET', `/channels/${this.channel.id}/messages`);
    return Number(headers.get('x-parley-position'));
  }

  async close(): Promise<void> {
    this.speaking.socket.terminate();
    this.listening.socket.terminate();
    await this.#cluster.close();
  }
}

const PATIENCE = { timeout: 60_000, interval: 200 } as const;

/** Expects a 503 that says when to try again. */
const expectUnavailable = ({ status, body, headers }: Answer): void => {
  expect({ status, body }).toMatchObject({ status: 503, body: { retry_after: expect.any(Number) } });
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
};

/** Kills the server with -9 and starts it again, even when `meanwhile` fails. */
const without = async (name: ServiceName, meanwhile: () => Promise<void>): Promise<void> => {
  await own.kill(name);
  try {
    await meanwhile();
  } finally {
    await own.start(name);
  }
};

/** Everything works, and every message sent so far is where it belongs. */
const expectWhole = async (world: World): Promise<void> => {
  await vi.waitFor(async () => expect(await world.ready()).toMatchObject({ ready: true }), PATIENCE);
  await world.talk(someName('whole'));
  const spoken = world.listening.dispatches('MESSAGE_CREATE').map(({ d }) => d.id);
  await vi.waitFor(async () => {
    expect((await world.history()).map(({ id }) => id).reverse()).toEqual(spoken);
    expect(await world.unread()).toBe(spoken.length);
  }, PATIENCE);
  expect(new Set(spoken).size).toBe(spoken.length);
};

describe('without', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.begin();
    await world.talk('before');
  });
  afterAll(() => world?.close());

  it('Redis, people talk, read, log in and get unread counts; each process applies its own limits', async () => {
    await expectWhole(world);
    await without('redis', async () => {
      const before = (await world.history()).length;
      const { id } = await world.talk('without Redis');
      expect((await world.login()).status).toBe(200);
      await vi.waitFor(async () => expect(await world.history()).toHaveLength(before + 2), PATIENCE);
      await vi.waitFor(async () => expect(await world.unread()).toBe(before + 2), PATIENCE);
      await vi.waitFor(async () => {
        const { ready, degraded } = await world.ready();
        expect(ready).toBe(true);
        expect(degraded).toContainEqual(expect.stringMatching(/^Redis does not answer/));
      }, PATIENCE);
      const reactions = ['1️⃣', '2️⃣', '3️⃣', '4️⃣'].map((emoji) =>
        world.owner.request(
          'PUT',
          `/channels/${world.channel.id}/messages/${id}/reactions/${encodeURIComponent(emoji)}/@me`,
        ),
      );
      const statuses = (await Promise.all(reactions)).map(({ status }) => status);
      expect(statuses.sort()).toEqual([204, 204, 204, 429]);
    });
    await expectWhole(world);
  }, 240_000);

  it('Kafka, people see what they write, rights hold at once, and answers say how old the rest is', async () => {
    const { owner, channel, guildId } = world;
    const before = await world.history();
    const [guest] = await joined(owner, { channel }, 'guest', 1);
    const code = await owner.invite(channel.id);
    const guestly = owner.as(guest!);
    const position = await world.positionOfHistory();
    await without('kafka', async () => {
      await world.talk('without Kafka');
      // The first to ask waits until the views count as late; nobody waits after that.
      const paths = [
        `/channels/${channel.id}/messages`,
        `/channels/${channel.id}`,
        `/guilds/${guildId}/channels`,
        '/users/@me/guilds',
        '/users/@me/read-states',
      ];
      for (const path of paths) {
        const answered = async () => {
          const answer = await owner.request('GET', path);
          expect({ path, status: answer.status }).toEqual({ path, status: 200 });
          const through = Number(answer.headers.get('x-parley-position'));
          expect(through).toBeGreaterThan(0);
          if (path.endsWith('/messages')) expect(through).toBe(position);
        };
        expect(await fastest(answered)).toBeLessThan(3000);
      }
      expect((await owner.history(channel.id, '?limit=100')).length).toBe(before.length + 2);
      await vi.waitFor(async () => expect(await world.history()).toHaveLength(before.length + 2), PATIENCE);
      expect(await world.unread()).toBe(before.length + 2);
      const { id } = await owner.createGuild('Made without Kafka');
      expect(await owner.ask<{ id: string }[]>('GET', '/users/@me/guilds')).toContainEqual(
        expect.objectContaining({ id }),
      );
      expect((await owner.request('GET', `/guilds/${id}/channels`)).body).toHaveLength(1);
      // Rights that are taken away are gone on the next request.
      await guestly.leave(guildId);
      expect((await guestly.request('GET', `/channels/${channel.id}/messages`)).status).toBe(404);
      const uses = async () => (await owner.ask<{ uses: number }>('GET', `/invites/${code}`)).uses;
      const used = await uses();
      await guestly.join(code);
      expect((await guestly.request('GET', `/channels/${channel.id}/messages`)).status).toBe(200);
      expect(await uses()).toBe(used + 1);
      const [newest] = await owner.history(channel.id);
      await owner.ask('PUT', `/channels/${channel.id}/messages/pins/${newest!.id}`);
      const pinned = await owner.ask<{ id: string }[]>('GET', `/channels/${channel.id}/pins`);
      expect(pinned[0]?.id).toBe(newest!.id);
      await owner.ask('DELETE', `/channels/${channel.id}/messages/pins/${newest!.id}`);
      expect(await owner.ask('GET', `/channels/${channel.id}/pins`)).toHaveLength(pinned.length - 1);
      await vi.waitFor(async () => {
        const { ready, degraded } = await world.ready();
        expect(ready).toBe(true);
        expect(degraded.join()).toMatch(/timelines: \d+ events .* behind the log/);
      }, PATIENCE);
    });
    await expectWhole(world);
  }, 240_000);

  it('Cassandra, people talk, hear each other and get unread counts; history says when to try again', async () => {
    await without('cassandra', async () => {
      const before = await world.unread();
      await world.talk('without Cassandra');
      await vi.waitFor(async () => expect(await world.unread()).toBe(before + 2), PATIENCE);
      expectUnavailable(await world.friendly.request('GET', `/channels/${world.channel.id}/messages`));
    });
    await expectWhole(world);
  }, 240_000);

  it('the views, people talk in channels they had open; guilds cannot be listed, and changes are accepted', async () => {
    await without('views', async () => {
      await world.talk('without views');
      expectUnavailable(await world.owner.request('GET', '/users/@me/guilds'));
      expectUnavailable(await world.owner.request('GET', `/guilds/${world.guildId}/members?limit=10`));
      // What is stored is accepted; what it has become is shown later.
      const accepted = await world.owner.request('POST', `/guilds/${world.guildId}/channels`, { name: 'later' });
      expect(accepted).toMatchObject({ status: 202, body: null });
    });
    await expectWhole(world);
    await vi.waitFor(async () => {
      const channels = await world.owner.ask<Channel[]>('GET', `/guilds/${world.guildId}/channels`);
      expect(channels.filter(({ name }) => name === 'later')).toHaveLength(1);
    }, PATIENCE);
    expect((await world.owner.createGuild('After all')).id).toBeTruthy();
  }, 240_000);
});

describe('without', () => {
  let world: World;
  beforeAll(async () => {
    // The log and the views share one server; the vault has the other to itself.
    world = await World.begin(({ env }) => ({
      PARLEY_VIEWS_URL: env.PARLEY_LOG_URL!,
      PARLEY_VAULT_URL: env.PARLEY_VIEWS_URL!,
    }));
    await world.talk('before');
  });
  afterAll(() => world?.close());

  it('the vault, people talk and read texts whose keys are cached; nobody logs in or registers', async () => {
    await expectWhole(world);
    await without('views', async () => {
      await world.talk('without the vault');
      const history = await world.friendly.request<Message[]>('GET', `/channels/${world.channel.id}/messages`);
      expect(history.status).toBe(200);
      expect(history.body.every(({ content }) => content !== '')).toBe(true);
      expectUnavailable(await world.login());
      const account = { username: someName('late'), password: PASSWORD };
      expectUnavailable(await world.anybody.request('POST', '/auth/register', account));
    });
    await expectWhole(world);
    expect((await world.login()).status).toBe(200);
  }, 240_000);
});

describe('without', () => {
  let world: World;
  beforeAll(async () => {
    // The log has one server to itself; the vault and the views share the other.
    world = await World.begin(({ env }) => ({
      PARLEY_LOG_URL: env.PARLEY_VIEWS_URL!,
      PARLEY_VIEWS_URL: env.PARLEY_LOG_URL!,
    }));
    await world.talk('before');
  });
  afterAll(() => world?.close());

  it('the event log, people read; nothing is acknowledged that the log does not hold', async () => {
    await expectWhole(world);
    const before = await world.history();
    await without('views', async () => {
      expectUnavailable(
        await world.owner.request('POST', `/channels/${world.channel.id}/messages`, { content: 'never' }),
      );
      const result = await world.say('never by socket');
      expect(result).toMatchObject({ ok: false, error: { retry_after: expect.any(Number) } });
      expect(await world.history()).toEqual(before);
      expect((await world.owner.request('GET', `/guilds/${world.guildId}/channels`)).status).toBe(200);
    });
    await expectWhole(world);
    expect((await world.history()).filter(({ content }) => content.startsWith('never'))).toEqual([]);
  }, 240_000);
});
