/** The embedded profile without its edges: log, vault, views and write side in one process, on one folder. */

import { join } from 'node:path';
import type { Ephemeral } from '../../commands/port.ts';
import { createWriteSide, type WriteSide } from '../../commands/write-side.ts';
import { MemoryCoordination } from '../../coordination/memory.ts';
import type { SessionRegistry } from '../../coordination/port.ts';
import { foldOf } from '../../domain/aggregates.ts';
import type { EventLog } from '../../log/port.ts';
import { Presenter } from '../../presenter/presenter.ts';
import { openViews, type RebuildProgress } from '../../projections/embedded/open.ts';
import type { ViewsRuntime } from '../../projections/port.ts';
import { Access } from '../../projections/views/guild-views/access.ts';
import { CurrentTimelines } from '../../projections/views/timelines/current.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Config } from '../../schemas/settings.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import { reasonOf } from '../../stores/guard.ts';
import type { FileGone } from '../../stores/sqlite/held-files.ts';
import type { InformingLogger, Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Spans } from '../../telemetry/spans.ts';
import type { Tokens, Vault } from '../../vault/port.ts';
import { KeyRing } from '../../vault/sealing.ts';
import { createTokens } from '../../vault/tokens.ts';
import { meteredLog } from '../metered-log.ts';
import { openFolder, VIEWS_FILE } from './folder.ts';

/** The worker number is fixed, because only one process uses the folder. */
const WORKER = () => 0;
/** How often the vault notes the log's position, and the files are looked for. */
const LOOK_MS = 1000;

export interface CoreOptions {
  readonly config: Pick<
    Config,
    'data' | 'registration' | 'deletionSeconds' | 'limits' | 'bounds' | 'tokenSeconds' | 'publicUrl'
  >;
  readonly metrics: Metrics;
  readonly logger: InformingLogger;
  readonly clock: Clock;
  /** Reports to people what was found in the folder. */
  readonly say: (line: string) => void;
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
  readonly slices: TimeSlices;
  readonly write: WriteSide;
  readonly registry: SessionRegistry;
  /** A file of the data folder that was removed or replaced, so that nothing more is stored. */
  gone(): FileGone | undefined;
  /** Whether nothing is stored now, for want of room on the disk. */
  isFull(): boolean;
  /** Registers the receiver of typing signals, once there is a gateway. */
  listenForTyping(listener: Ephemeral): void;
  /** Begins to follow the log. Listeners of the views must be registered by then. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Reports once that a file cannot be written to, again when the reason changes, and when it can be written to again. */
const teller = (logger: Logger, file: string): ((failure: unknown) => void) => {
  let told = '';
  return (failure) => {
    const now = failure === undefined ? '' : reasonOf(failure);
    if (now === told) return;
    if (now === '') logger.warn({}, `${file} can be written to again`);
    else logger.error({ reason: now }, `${file} cannot be written to: ${now}`);
    told = now;
  };
};

export const openCore = async (options: CoreOptions): Promise<Core> => {
  const { config, metrics, clock, spans, logger } = options;
  const tellOfLog = teller(logger, 'log.db');
  const tellOfVault = teller(logger, 'vault.db');
  const folder = await openFolder({
    directory: config.data,
    clock,
    onCommit: (events) => {
      metrics.appendBatch.observe(events);
      tellOfLog(undefined);
    },
    onRefused: tellOfLog,
    onDamage: (damage) => logger.error({}, damage.message),
    say: options.say,
  });
  const { vault } = folder;
  const log = meteredLog(folder.log, metrics, logger, clock, spans);
  const views = await openViews({
    file: join(config.data, VIEWS_FILE),
    ...{ log, foldOf, logger, clock, spans },
    onBug: () => metrics.projectionBugs.inc({ view: 'all' }),
    onProgress: options.onRebuild,
    onFailure: options.onFailure,
    onFull: () => folder.diskIsFull(),
  }).catch(async (error: unknown) => {
    await folder.close();
    throw error;
  });
  const keys = new KeyRing(vault);
  const tokens = createTokens(vault, { clock, lifetime: config.tokenSeconds });
  const access = new Access(views.guilds, clock.wallTime);
  const timelines = new CurrentTimelines(views.timelines, log);
  const slices = new TimeSlices(clock);
  const presenter = new Presenter({ views, timelines, keys, slices, publicUrl: config.publicUrl });
  // Before anything of later events is shown.
  views.deliverTo(async (events) => {
    for (const event of events) {
      keys.heard(event);
      presenter.heard(event);
    }
  });
  const node = new MemoryCoordination({ clock, workers: 1 }).node();
  let typing: Ephemeral | undefined;
  const write = await createWriteSide({
    log,
    views,
    // They take the next batch once the sockets have the one before.
    delivered: views,
    holdDelivered: () => views.holdDelivered(),
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
    registration: config.registration,
    deletionSeconds: config.deletionSeconds,
    worker: WORKER,
    onConflict: () => metrics.appendConflicts.inc(),
    logger,
    clock,
    spans,
  });
  let gone: FileGone | undefined;
  const look = async (): Promise<void> => {
    try {
      gone = folder.gone();
      if (gone === undefined) await folder.remember();
      tellOfVault(gone);
    } catch (failure) {
      tellOfVault(failure);
    }
  };
  let endLooks = () => {};

  return {
    log,
    vault,
    views,
    keys,
    tokens,
    access,
    presenter,
    slices,
    write,
    registry: node.registry,
    gone: () => gone,
    isFull: () => folder.isFull(),
    listenForTyping: (listener) => {
      typing = listener;
    },
    async start() {
      endLooks = clock.every(LOOK_MS, () => void look());
      views.setProcessesThrough(() => write.processes.through());
      views.onBatch((events, through) => write.processes.onBatch(events, through));
      const behind = write.processes.catchUp(views.processesThrough);
      views.start();
      await behind;
      for (const due of write.dueWork) due.start();
    },
    async close() {
      endLooks();
      await Promise.all(write.dueWork.map((due) => due.stop()));
      await views.stop();
      await folder.close();
    },
  };
};
