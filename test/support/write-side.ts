/** For specs of the write side: the real log, vault and views in a temporary folder, composed as the server does it. */

import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { CommandFields, CommandType } from '../../commands/features/index.ts';
import type { CommandOutcome, Submitted, Typing } from '../../commands/port.ts';
import { BOUNDS, CALLER, NO_LIMITS, person, right } from '../../commands/testing.ts';
import { createWriteSide, type WriteSide } from '../../commands/write-side.ts';
import { memoryLimiter } from '../../coordination/limiter.ts';
import { MemoryCoordination } from '../../coordination/memory.ts';
import { foldOf } from '../../domain/aggregates.ts';
import type { EventLog } from '../../log/port.ts';
import { openSqliteEventLog } from '../../log/sqlite/event-log.ts';
import { wholeStream } from '../../log/testing.ts';
import { presentAnswer } from '../../presenter/answers.ts';
import { Presenter } from '../../presenter/presenter.ts';
import { openViews } from '../../projections/embedded/open.ts';
import type { Views, ViewsRuntime } from '../../projections/port.ts';
import { Access } from '../../projections/views/guild-views/access.ts';
import { CurrentTimelines } from '../../projections/views/timelines/current.ts';
import type { Actor } from '../../schemas/actor.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { ParleyError } from '../../schemas/errors.ts';
import type { EventOf, EventType, ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { Bounds, Limits as LimitConfig } from '../../schemas/settings.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { Tokens, Vault } from '../../vault/port.ts';
import { KeyRing } from '../../vault/sealing.ts';
import { openSqliteVault } from '../../vault/sqlite/vault.ts';
import { createTokens } from '../../vault/tokens.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface InstanceOptions {
  readonly limits?: Partial<LimitConfig>;
  readonly bounds?: Partial<Bounds>;
  readonly registration?: 'open' | 'invited' | 'closed';
  /** Wraps the log that the write side gets, to make it fail. */
  readonly logFor?: (log: EventLog) => EventLog;
  /** Wraps the views that the write side gets, to make them late. */
  readonly viewsFor?: (views: Views) => Views;
  /** Whether processes run. Without them follow-ups stay undone, as after a crash. */
  readonly processes?: boolean;
}

const CHEAP = { memoryCost: 8, timeCost: 1, parallelism: 1 };

/** The outcome of a submitted command, with what the client is shown. */
interface Shown {
  readonly outcome: Either<ParleyError, CommandOutcome & { readonly result: unknown }>;
  readonly limit: Submitted['limit'];
}

interface Asking {
  readonly key?: string | null;
  readonly counted?: boolean;
  readonly kind?: Actor['kind'];
  readonly correlationId?: string;
  readonly reason?: string;
}

export class Instance {
  private readonly temporary = temporaryFolder();
  readonly folder = this.temporary.path;
  readonly typing: Typing[] = [];
  log!: EventLog;
  vault!: Vault;
  views!: ViewsRuntime;
  keys!: KeyRing;
  tokens!: Tokens;
  write!: WriteSide;
  access!: Access;
  presenter!: Presenter;
  conflicts = 0;
  private readonly options: InstanceOptions;

  private constructor(options: InstanceOptions) {
    this.options = options;
  }

  static async open(options: InstanceOptions = {}): Promise<Instance> {
    const instance = new Instance(options);
    await instance.start();
    return instance;
  }

  private async start(more: InstanceOptions = {}): Promise<void> {
    const options = { ...this.options, ...more };
    this.log = await openSqliteEventLog({ clock: systemClock, directory: this.folder });
    this.vault = await openSqliteVault({ directory: this.folder, passwordCost: CHEAP });
    const fail = (error: unknown) => {
      throw error;
    };
    this.views = await openViews({
      clock: systemClock,
      file: join(this.folder, 'views.db'),
      log: this.log,
      foldOf,
      onFailure: fail,
    });
    this.keys = new KeyRing(this.vault);
    this.tokens = createTokens(this.vault, { clock: systemClock, lifetime: 604_800 });
    const { views, vault, keys } = this;
    this.access = new Access(views.guilds, () => systemClock.wallTime());
    const timelines = new CurrentTimelines(views.timelines, this.log);
    this.presenter = new Presenter({ views, timelines, keys, slices: new TimeSlices(systemClock), publicUrl: null });
    this.write = await createWriteSide({
      log: options.logFor?.(this.log) ?? this.log,
      delivered: { checkpoint: () => Number.MAX_SAFE_INTEGER, whenProcessed: async () => true },
      views: options.viewsFor?.(views) ?? views,
      vault,
      keys,
      access: this.access,
      timelines,
      tokens: this.tokens,
      ephemeral: { typing: (one) => this.typing.push(one) },
      limits: { ...NO_LIMITS, ...options.limits },
      bounds: { ...BOUNDS, ...options.bounds },
      limiter: memoryLimiter(systemClock),
      sharedWrites: new MemoryCoordination({ clock: systemClock, workers: 1 }).node().sharedWrites,
      registration: options.registration ?? 'open',
      deletionSeconds: 604_800,
      worker: () => 1,
      onConflict: () => {
        this.conflicts += 1;
      },
      logger: createLogger('silent'),
      clock: systemClock,
    });
    const { processes } = this.write;
    if (options.processes === false) {
      views.start();
      return;
    }
    views.setProcessesThrough(() => processes.through());
    views.onBatch((events, through) => processes.onBatch(events, through));
    const behind = processes.catchUp(views.processesThrough);
    views.start();
    await behind;
  }

  private async stop(): Promise<void> {
    await this.views.stop();
    await this.vault.close();
    await this.log.close();
  }

  /** @param more.forgetViews start from the log alone */
  async reopen({ forgetViews = false, ...options }: InstanceOptions & { forgetViews?: boolean } = {}): Promise<void> {
    await this.stop();
    if (forgetViews)
      for (const end of ['', '-wal', '-shm']) rmSync(join(this.folder, `views.db${end}`), { force: true });
    await this.start(options);
  }

  async close(): Promise<void> {
    await this.stop();
    this.temporary.remove();
  }

  /** Submits a command and returns the whole answer. */
  async submit<K extends CommandType>(
    userId: string,
    type: K,
    body: CommandFields<K>,
    asking: Asking = {},
  ): Promise<Shown> {
    const context = {
      actor: { ...person(userId), kind: asking.kind ?? 'person' },
      key: asking.key ?? null,
      counted: asking.counted ?? false,
      correlationId: asking.correlationId ?? randomUUID(),
      reason: asking.reason,
    };
    const { outcome, limit } = await this.write.bus.submit(context, type, body);
    if (either.isLeft(outcome)) return { outcome, limit };
    const shown = await presentAnswer(this.presenter, outcome.right.answer);
    if (either.isLeft(shown)) return { outcome: shown, limit };
    return { outcome: either.right({ ...outcome.right, result: shown.right.shown }), limit };
  }

  async ask<K extends CommandType>(userId: string, type: K, body: CommandFields<K>, asking?: Asking) {
    return (await this.submit(userId, type, body, asking)).outcome;
  }

  /** Carries out a command that must succeed. @returns what its route answers */
  // biome-ignore lint/suspicious/noExplicitAny: what a route answers is read field by field
  async do<K extends CommandType>(userId: string, type: K, body: CommandFields<K>, asking?: Asking): Promise<any> {
    return right(await this.ask(userId, type, body, asking)).result;
  }

  send(userId: string, channelId: string, content: string, asking?: Asking) {
    return this.ask(userId, 'message.send', { channel_id: channelId, content }, asking);
  }

  async register(username: string): Promise<string> {
    const credentials = { username, password: 'correct horse', globalName: null };
    return right(await this.write.identity.register(credentials, CALLER)).userId;
  }

  /** Creates a guild for its owner. @param announces whether a message says in its channel that somebody joined */
  async guild(ownerId: string, announces = false): Promise<{ id: string; channel: string }> {
    const guild = await this.do(ownerId, 'guild.create', { name: 'Guild' });
    if (!announces) await this.do(ownerId, 'guild.edit', { guild_id: guild.id, system_channel_flags: 1 });
    return { id: guild.id, channel: guild.channels[0].id };
  }

  /** Lets people join the guild of a channel. */
  async join(inviterId: string, channelId: string, ...userIds: readonly string[]): Promise<void> {
    const { code } = await this.do(inviterId, 'invite.create', { channel_id: channelId });
    for (const userId of userIds) await this.do(userId, 'guild.join', { code });
  }

  /** The stream as the log has it. */
  stream(stream: string): Promise<readonly ParleyEvent[]> {
    return wholeStream(this.log, stream);
  }

  async events<K extends EventType>(type: K): Promise<readonly EventOf<K>[]> {
    const page = await this.log.readAll({ after: 0, types: [type], limit: 10_000 });
    return page.events as readonly EventOf<K>[];
  }

  /** Resolves when the views hold everything in the log and all follow-ups are done. */
  async settled(): Promise<void> {
    for (;;) {
      const head = await this.log.head();
      await this.views.whenProcessed(head, 10_000);
      await this.views.atRest(async () => {});
      await new Promise((resolve) => setImmediate(resolve));
      if (this.write.processes.through() >= head && (await this.log.head()) === head) return;
    }
  }
}
