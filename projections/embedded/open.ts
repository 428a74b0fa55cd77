/** The embedded profile's views: every projection in one file beside the log. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogReader } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { classify, ifPossible } from '../../stores/sqlite/failures.ts';
import { whenFailing } from '../../stores/sqlite/statements.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Spans } from '../../telemetry/spans.ts';
import { ViewsStopped } from '../engine/applying.ts';
import { Runner } from '../engine/runner.ts';
import type { Readers, ViewsRuntime } from '../port.ts';
import type { FoldOf } from '../views/sql-views.ts';
import {
  bootId,
  buildingFile,
  createFile,
  openFile,
  removeFile,
  swapIn,
  takeIntoUse,
  type Unusable,
  type Usable,
} from './file.ts';
import { SqliteViewStore, sqliteProjections } from './store.ts';

const PAGE = 2000;

export interface RebuildProgress {
  /** Why the old file could not be used. */
  readonly reason: string;
  /** Log positions: how far the rebuild has got, and where it ends. */
  readonly through: number;
  readonly head: number;
}

interface Rebuild {
  readonly file: string;
  readonly log: LogReader;
  readonly foldOf: FoldOf;
  readonly clock: Clock;
  readonly reason: string;
  readonly boot: string;
  readonly processesThrough: number;
  readonly onProgress: (progress: RebuildProgress) => void;
}

/** Unlike live operation, a rebuild skips no event: incomplete views must not pass for complete ones. */
const commitWhole = async (store: SqliteViewStore, events: readonly ParleyEvent[], processes: number) => {
  try {
    await store.commit(events, processes);
  } catch {
    for (const event of events) {
      try {
        await store.commit([event], processes);
      } catch (cause) {
        throw new Error(
          `The views cannot be rebuilt: event ${event.id} (${event.type}, ${event.stream} ${event.sequence}, position ${event.position}) fails: ${String(cause)}`,
          { cause },
        );
      }
    }
  }
};

interface Building extends Omit<Rebuild, 'reason' | 'onProgress'> {
  /** Position to build up to. */
  readonly through: number;
  readonly onProgress: (through: number) => void;
}

/** Builds a file beside the old one, which stays as it is. */
export const buildBeside = async (options: Building): Promise<void> => {
  const { file, log, foldOf, clock, boot, processesThrough, through: last, onProgress } = options;
  const building = buildingFile(file);
  removeFile(building);
  const db = createFile(building, log.epoch, boot, processesThrough);
  const store = new SqliteViewStore(building, db, sqliteProjections(db, clock, { log, foldOf }).projections);
  try {
    for (let after = 0; after < last; ) {
      const { events, through } = await log.readAll({ after, limit: Math.min(PAGE, last - after) });
      if (events.length > 0) await commitWhole(store, events, processesThrough);
      after = through;
      onProgress(Math.min(after, last));
      // Reading and writing are synchronous; this lets signals and timers run.
      await nextTurn();
    }
  } catch (failure) {
    db.close();
    removeFile(building);
    throw failure;
  }
  await store.close(processesThrough);
};

/** Rebuilds the views from the log: writes a file beside the old one, then replaces it. */
const rebuild = async ({ reason, onProgress, ...options }: Rebuild): Promise<void> => {
  const head = await options.log.head();
  await buildBeside({ ...options, through: head, onProgress: (through) => onProgress({ reason, through, head }) });
  swapIn(options.file);
};

export interface OpenViews {
  readonly file: string;
  readonly log: LogReader;
  readonly foldOf: FoldOf;
  /** Called during a rebuild, at least once. */
  readonly onProgress?: (progress: RebuildProgress) => void;
  /** Called whenever the disk has no room for a batch, which is tried again until it has. */
  readonly onFull?: () => void;
  /** Called once when the running views cannot continue. The process should exit and restart. */
  readonly onFailure: (error: unknown) => void;
  readonly logger?: Logger | undefined;
  /** Called each time that a batch is tried again because of a bug. */
  readonly onBug?: (() => void) | undefined;
  readonly clock: Clock;
  /** Absent when nothing is traced. A rebuild is never traced. */
  readonly spans?: Spans | undefined;
}

/**
 * Opens the views at their checkpoint; rebuilds them from the log first if the file cannot be used. They do not advance
 * until `start`.
 */
export const openViews = async (options: OpenViews): Promise<ViewsRuntime> => {
  const { file, log, foldOf, onProgress = () => {}, ...running } = options;
  const boot = bootId();
  removeFile(buildingFile(file));
  let failed = false;
  const onFailure = (failure: unknown): void => {
    if (!failed) options.onFailure(failure);
    failed = true;
  };
  const used = async (): Promise<Used | Unusable> => {
    const opened = openFile(file, { epoch: log.epoch, head: await log.head() }, boot);
    return opened.db === undefined ? opened : use({ ...options, onFailure }, opened, boot);
  };
  let views = await used();
  if ('reason' in views) {
    const { reason, processesThrough } = views;
    await rebuild({ file, log, foldOf, clock: running.clock, reason, boot, processesThrough, onProgress });
    views = await used();
    if ('reason' in views) throw new Error(`The views were rebuilt and still cannot be used: ${views.reason}`);
  }
  return Object.assign(new Runner({ log, store: views.store, ...running, onFailure }), views.readers);
};

interface Used {
  readonly store: SqliteViewStore;
  readonly readers: Readers;
}

/**
 * Takes the file into use before anything else is read in it, so that a start that ends by reading is counted. A disk
 * without room leaves that to the first write.
 */
const use = (
  { file, log, foldOf, clock, onFull, onFailure }: OpenViews,
  { db, closed }: Usable,
  boot: string,
): Used | Unusable => {
  const take = () => takeIntoUse(db, boot, closed);
  let taken = false;
  try {
    ifPossible(() => {
      take();
      taken = true;
    });
    const { projections, readers } = sqliteProjections(db, clock, { log, foldOf });
    const store = new SqliteViewStore(file, db, projections, { takeIntoUse: taken ? undefined : take, onFull });
    whenFailing(db, (failure) => {
      if (classify(failure) !== 'damaged') return;
      store.condemn();
      onFailure(new ViewsStopped('The views file is damaged; it is rebuilt at the next start', { cause: failure }));
    });
    return { store, readers };
  } catch (failure) {
    db.close();
    if (classify(failure) !== 'damaged') throw failure;
    return { db: undefined, reason: 'it is damaged', processesThrough: 0 };
  }
};
