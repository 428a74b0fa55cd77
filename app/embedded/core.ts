/** The embedded profile without its edges: log, vault, views and write side in one process, on one folder. */

import { join } from 'node:path';
import type { Ephemeral } from '../../commands/port.ts';
import { createWriteSide, type WriteSide } from '../../commands/write-side.ts';
import { MemoryCoordination } from '../../coordination/memory.ts';
import type { SessionRegistry } from '../../coordination/port.ts';
import { foldOf } from '../../domain/aggregates.ts';
import type { EventLog } from '../../log/port.ts';
import { openSqliteEventLog } from '../../log/sqlite/event-log.ts';
import { Presenter } from '../../presenter/presenter.ts';
import { openViews, type RebuildProgress } from '../../projections/embedded/open.ts';
import type { ViewsRuntime } from '../../projections/port.ts';
import { Access } from '../../projections/views/guild-views/access.ts';
import { CurrentTimelines } from '../../projections/views/timelines/current.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Config } from '../../schemas/config.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Spans } from '../../telemetry/spans.ts';
import type { Tokens, Vault } from '../../vault/port.ts';
import { KeyRing } from '../../vault/sealing.ts';
import { openSqliteVault } from '../../vault/sqlite/vault.ts';
import { createTokens } from '../../vault/tokens.ts';
import { meteredLog } from '../metered-log.ts';

/** The worker number is fixed, because only one process uses the folder. */
const WORKER = () => 0;
/** How often the log's position is recorded in the vault. */
const REMEMBER_MS = 1000;

export interface CoreOptions {
  readonly config: Pick<Config, 'data' | 'registration' | 'limits' | 'bounds'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Absent where nothing is traced. */
  readonly spans?: Spans | undefined;
  /** Called with the progress of a rebuild of the views. */
  readonly onRebuild: (progress: RebuildProgress) => void;
  /** Called once when the views cannot go on: the process should end and start again. */
  readonly onFailure: (error: unknown) => void;
}

export interface Core {
  readonly log: EventLog;
  readonly vault: Vault;
  readonly views: ViewsRuntime;
  readonly keys: KeyRing;
  readonly tokens: Tokens;
  readonly access: Access;
  readonly presenter: Presenter;
  readonly write: WriteSide;
  readonly registry: SessionRegistry;
  /** Registers the receiver of typing signals, once there is a gateway. */
  listenForTyping(listener: Ephemeral): void;
  /** Begins to follow the log. Listeners of the views must be registered by then. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const openLog = async (
  data: string,
  { metrics, clock, spans }: CoreOptions,
  vault: () => Promise<Vault>,
): Promise<[EventLog, Vault]> => {
  const log = await openSqliteEventLog({
    directory: data,
    clock,
    onCommit: (events) => metrics.appendBatch.observe(events),
  });
  try {
    const opened = await vault();
    const remembered = await opened.rememberedPosition();
    // If the log ends before the position that the vault remembers, it has another history from there on.
    if (remembered?.epoch === log.epoch && remembered.position > (await log.head())) await log.renewEpoch();
    return [meteredLog(log, metrics, clock, spans), opened];
  } catch (error) {
    await log.close();
    throw error;
  }
};

export const openCore = async (options: CoreOptions): Promise<Core> => {
  const { config, metrics, clock, spans } = options;
  const [log, vault] = await openLog(config.data, options, () => openSqliteVault({ directory: config.data }));
  const views = await openViews({
    file: join(config.data, 'views.db'),
    log,
    foldOf,
    onProgress: options.onRebuild,
    onFailure: options.onFailure,
    clock,
    spans,
  });
  const keys = new KeyRing(vault);
  const tokens = createTokens(vault);
  const access = new Access(views.guilds);
  const timelines = new CurrentTimelines(views.timelines, log);
  const presenter = new Presenter({ views, timelines, keys });
  const node = new MemoryCoordination({ clock, workers: 1 }).node();
  let typing: Ephemeral | undefined;
  const write = await createWriteSide({
    log,
    views,
    access,
    timelines,
    vault,
    keys,
    tokens,
    ephemeral: { typing: (one) => typing?.typing(one) },
    limits: config.limits,
    bounds: config.bounds,
    limiter: node.limiter,
    sharedWrites: node.sharedWrites,
    registrationOpen: config.registration === 'open',
    worker: WORKER,
    onConflict: () => metrics.appendConflicts.inc(),
    clock,
    spans,
  });
  let told = -1;
  /** Skips the write when the log has not moved, which saves the vault's disk. */
  const remember = async (): Promise<void> => {
    const head = await log.head();
    if (head === told) return;
    await vault.rememberPosition(log.epoch, head);
    told = head;
  };
  let endRemembering = () => {};

  return {
    log,
    vault,
    views,
    keys,
    tokens,
    access,
    presenter,
    write,
    registry: node.registry,
    listenForTyping: (listener) => {
      typing = listener;
    },
    async start() {
      await remember();
      endRemembering = clock.every(REMEMBER_MS, () => void remember().catch(options.onFailure));
      views.setProcessesThrough(() => write.processes.through());
      views.onBatch((events, through) => write.processes.onBatch(events, through));
      const behind = write.processes.catchUp(views.processesThrough);
      views.start();
      await behind;
    },
    async close() {
      endRemembering();
      await views.stop();
      await remember();
      await vault.close();
      await log.close();
    },
  };
};
