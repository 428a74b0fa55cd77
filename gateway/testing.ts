/** For specs of the gateway: real views of a log in memory, real sockets on loopback, fakes for everything else. */

import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { either } from 'fp-ts';
import { commandDecoder } from '../commands/bus.ts';
import { commands } from '../commands/features/index.ts';
import type { CommandBus, CommandContext, Submitted } from '../commands/port.ts';
import { MemoryCoordination } from '../coordination/memory.ts';
import type { SessionRegistry } from '../coordination/port.ts';
import { Presenter } from '../presenter/presenter.ts';
import { openViews } from '../projections/embedded/open.ts';
import type { ViewsRuntime } from '../projections/port.ts';
import { Story } from '../projections/testing.ts';
import { Access } from '../projections/views/guild-views/access.ts';
import { TestClock } from '../schemas/clock.testing.ts';
import { systemClock } from '../schemas/clock.ts';
import { PLAIN } from '../schemas/events/channel.ts';
import { TimeSlices } from '../schemas/time-slices.ts';
import { GatewayClient } from '../test/support/gateway-client.ts';
import type { SessionClaims, Tokens } from '../vault/port.ts';
import type { KeyRing } from '../vault/sealing.ts';
import { defaultGatewayConfig, type GatewayConfig } from './config.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { registerGateway } from './plugin.ts';
import type { GatewayDeps, GatewayPresenter } from './ports.ts';

/** All intents. */
export const EVERYTHING = 0x1ffff;

export const tokenOf = (userId: string): string => `token-of-${userId}`;

/** Generations by user, so that a spec can end a user's tokens. */
class FakeTokens implements Tokens {
  readonly generations = new Map<string, number>();
  /** The sign-ins that tokens come from, by user. */
  readonly signIns = new Map<string, string>();

  private generation(userId: string): number {
    return this.generations.get(userId) ?? 1;
  }

  async issue(userId: string) {
    return { token: tokenOf(userId), expiresAt: 0 };
  }

  lastExpiry(): number {
    return 0;
  }

  async botToken(userId: string) {
    return { token: tokenOf(userId), secret: '' };
  }

  async verify(token: string) {
    const userId = /token-of-(\d+)$/.exec(token)?.[1];
    return userId === undefined
      ? undefined
      : { userId, generation: this.generation(userId), signIn: this.signIns.get(userId) ?? 'one' };
  }

  async signSession(claims: SessionClaims): Promise<string> {
    return `session-${JSON.stringify(claims)}`;
  }

  async verifySession(sessionId: string): Promise<SessionClaims | undefined> {
    return sessionId.startsWith('session-') ? (JSON.parse(sessionId.slice(8)) as SessionClaims) : undefined;
  }
}

/** Answers every command with success, unless the spec replaces `answer`. */
export class FakeBus implements CommandBus {
  readonly commands = commands;
  readonly submitted: { context: CommandContext; type: string; fields: unknown }[] = [];
  answer: () => Promise<Submitted> = async () => ({
    outcome: either.right({ position: 7, stream: 'channel-1', sequence: 3, answer: { kind: 'marked' } }),
    limit: undefined,
  });
  private readonly decode = commandDecoder(commands);

  async submit(context: CommandContext, type: string, sent: unknown): Promise<Submitted> {
    const decoded = this.decode(type, sent);
    if (either.isLeft(decoded)) return { outcome: decoded, limit: undefined };
    this.submitted.push({ context, type, fields: decoded.right.fields });
    return this.answer();
  }
}

const NO_KEYS = {
  get: async () => undefined,
  cached: () => undefined,
  load: async () => {},
  forget: () => {},
} as unknown as KeyRing;

/** Nonce of a message that fails to be presented. */
export const UNSHOWABLE = 'unshowable';

/** Shows sealed text as it is, so that specs see which text was shown without knowing keys. */
const showingBoxes = (views: ViewsRuntime): GatewayPresenter => {
  const presenter = new Presenter({
    views,
    timelines: views.timelines,
    keys: NO_KEYS,
    slices: new TimeSlices(systemClock),
    publicUrl: null,
  });
  return {
    self: (id) => presenter.self(id),
    user: (id) => presenter.user(id),
    members: (rows) => presenter.members(rows),
    member: (row) => presenter.member(row),
    memberAs: (row, user) => presenter.memberAs(row, user),
    changed: (event) => presenter.changed(event),
    guild: (row) => presenter.guild(row),
    messages: (rows) => presenter.messages(rows),
    channel: (row, viewer, head, lastPinned) => presenter.channel(row, viewer, head, lastPinned),
    guildCreate: (parts) => presenter.guildCreate(parts),
    invite: (row) => presenter.invite(row),
    relationships: (rows) => presenter.relationships(rows),
    auditEntriesOf: (event) => presenter.auditEntriesOf(event),
    reports: (rows) => presenter.reports(rows),
    ownReports: (rows) => presenter.ownReports(rows),
    posted: async (event, guildId) => {
      if (event.data.nonce === UNSHOWABLE) throw new Error('this message cannot be shown');
      return { ...(await presenter.posted(event, guildId)), content: event.data.sealed.box };
    },
    edited: async (event, guildId) => {
      const message = await presenter.edited(event, guildId);
      return message && ('sealed' in event.data ? { ...message, content: event.data.sealed.box } : message);
    },
  };
};

export class Counters {
  sockets = 0;
  sessions = 0;
  dispatches = 0;
  bytes = 0;
  readonly closes: number[] = [];
  readonly resumes: string[] = [];
  readonly refusals: string[] = [];
  readonly commands: string[] = [];
}

const metricsOf = (counters: Counters) => ({
  sockets: (change: number) => {
    counters.sockets += change;
  },
  sessions: (change: number) => {
    counters.sessions += change;
  },
  dispatches: (count: number) => {
    counters.dispatches += count;
  },
  bytes: (count: number) => {
    counters.bytes += count;
  },
  closes: (code: number) => {
    counters.closes.push(code);
  },
  resumes: (outcome: string) => {
    counters.resumes.push(outcome);
  },
  refusals: (error: string) => {
    counters.refusals.push(error);
  },
  commands: (outcome: string) => {
    counters.commands.push(outcome);
  },
});

const aRegistry = () => new MemoryCoordination({ clock: systemClock, workers: 1 }).node().registry;

/** One gateway on the world's views, at its own address. */
export interface Station {
  readonly gateway: Gateway;
  readonly base: string;
  readonly counters: Counters;
  /** Errors the gateway logged. */
  readonly errors: unknown[];
  connect(): Promise<GatewayClient>;
  /** Resolves when the session has received its initial set. */
  identified(userId: string, more?: object): Promise<GatewayClient>;
  resumed(userId: string, session: { session_id: string; seq: number }): Promise<GatewayClient>;
}

export class World {
  readonly story = new Story();
  readonly tokens = new FakeTokens();
  readonly bus = new FakeBus();
  /** Whether a user may begin another session. */
  mayBegin: (userId: string) => boolean = () => true;
  /** The gateways' sense of how much time has passed, and what they do regularly. Moved by hand. */
  readonly clock = new TestClock();
  /** Seconds until a user may ask for members of a guild again. */
  listsAgainAfter: (userId: string, guildId: string) => number = () => 0;
  private readonly directory = mkdtempSync(join(tmpdir(), 'parley-gateway-'));
  private readonly stations: (() => Promise<unknown>)[] = [];
  views!: ViewsRuntime;
  presenter!: GatewayPresenter;

  static async open(): Promise<World> {
    const world = new World();
    world.views = await openViews({
      clock: systemClock,
      file: join(world.directory, 'views.db'),
      log: world.story.log,
      foldOf: () => undefined,
      onFailure: (error) => {
        throw error;
      },
    });
    world.presenter = showingBoxes(world.views);
    world.views.start();
    return world;
  }

  /** Opens a gateway without recent events. */
  async station(
    config: Partial<GatewayConfig> = {},
    registry: SessionRegistry = aRegistry(),
    feed?: GatewayDeps['feed'],
  ): Promise<Station> {
    await this.settled();
    const counters = new Counters();
    const errors: unknown[] = [];
    const gateway = createGateway({
      log: this.story.log,
      views: this.views,
      presenter: this.presenter,
      access: new Access(this.views.guilds, () => systemClock.wallTime()),
      tokens: this.tokens,
      mayBegin: async (userId) => this.mayBegin(userId),
      listsMembers: async (userId, guildId) => {
        const resetAfter = this.listsAgainAfter(userId, guildId);
        return { allowed: resetAfter === 0, resetAfter };
      },
      bus: this.bus,
      config: { ...defaultGatewayConfig, ...config },
      logger: { debug: () => {}, warn: (fields) => errors.push(fields), error: (fields) => errors.push(fields) },
      metrics: metricsOf(counters),
      clock: {
        ...systemClock,
        wallTime: this.clock.wallTime,
        monotonic: this.clock.monotonic,
        every: (ms, work) => this.clock.every(ms, work),
      },
      registry,
      ...(feed === undefined ? {} : { feed }),
    });
    this.views.deliverTo((events, through) => gateway.deliver(events, through));
    const app = fastify();
    await registerGateway(app, gateway);
    await app.listen({ host: '127.0.0.1', port: 0 });
    const base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    this.stations.push(async () => {
      await gateway.close();
      await app.close();
    });
    const connect = () => GatewayClient.connect(base);
    return {
      ...{ gateway, base, counters, errors, connect },
      async identified(userId, more = {}) {
        const client = await connect();
        client.write(2, { token: tokenOf(userId), intents: EVERYTHING, properties: {}, ...more });
        await client.dispatch('PARLEY_POSITION');
        return client;
      },
      resumed: (userId, session) => GatewayClient.resumed(base, tokenOf(userId), session),
    };
  }

  /** Resolves when everything in the log has been delivered. */
  async settled(): Promise<void> {
    await this.views.whenProcessed(await this.story.log.head(), 10_000);
    await this.views.atRest(async () => {});
  }

  /**
   * Resolves when everything has been delivered and received: what a socket was sent before an ACK has arrived when the
   * ACK has.
   */
  async received(...clients: readonly GatewayClient[]): Promise<void> {
    await this.settled();
    await Promise.all(
      clients.map(async (client) => {
        const before = client.acks;
        client.write(1, client.seq);
        await client.until(() => client.acks > before, 'a heartbeat ACK');
      }),
    );
  }

  async close(): Promise<void> {
    for (const close of this.stations) await close();
    await this.views.stop();
    rmSync(this.directory, { recursive: true });
  }
}

/**
 * Creates a guild with its owner and channel `<guild>1`, which everyone sees, in the order in which the server does it.
 */
export const guildWith = (story: Story, guildId: string, ownerId: string, ...members: readonly string[]): string => {
  story.guild(guildId, ownerId);
  story.channel(`${guildId}1`, guildId);
  for (const userId of [ownerId, ...members]) story.join(guildId, userId);
  return `${guildId}1`;
};

/** Creates the people of the guild as well. */
export const guildAndPeople = (
  story: Story,
  guildId: string,
  ownerId: string,
  ...members: readonly string[]
): string => {
  for (const userId of [ownerId, ...members]) story.user(userId);
  return guildWith(story, guildId, ownerId, ...members);
};

/** Creates a channel that only the owner and `allowed` can see. */
export const hiddenChannel = (story: Story, channelId: string, guildId: string, allowed?: string) =>
  story.log.add(`channel-${channelId}`, 'channel-created', {
    ...{ channelId, guildId, kind: 'text', name: 'hidden', topic: null, participants: [], ...PLAIN },
    overwrites: [
      { id: guildId, type: 0, allow: '0', deny: '1024' },
      ...(allowed === undefined ? [] : [{ id: allowed, type: 1 as const, allow: '1024', deny: '0' }]),
    ],
  });
