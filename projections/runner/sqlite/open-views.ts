/** The embedded profile's views: every projection in one file beside the log. */
import type { LogReader } from '../../../log/port.ts';
import type { ViewsRuntime } from '../port.ts';
import { Runner } from '../runner.ts';
import { bootId } from './boot.ts';
import { buildingFile, openFile, removeFile } from './file.ts';
import { type FoldOf, sqliteProjections } from './projections.ts';
import { type RebuildProgress, rebuild } from './rebuild.ts';
import { SqliteViewStore } from './store.ts';

export interface OpenViews {
  readonly file: string;
  readonly log: LogReader;
  readonly foldOf: FoldOf;
  /** Told while the views are rebuilt, at least once when they are. */
  readonly onProgress?: (progress: RebuildProgress) => void;
  /** Told once when the running views cannot go on; the process should end and start again. */
  readonly onFailure: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/**
 * Opens the views at their checkpoint, after rebuilding them from the log when the file cannot be used.
 * They stand still until `start`.
 */
export const openViews = async (options: OpenViews): Promise<ViewsRuntime> => {
  const { file, log, foldOf, onProgress = () => {}, onFailure, clock = Date.now } = options;
  const boot = bootId();
  removeFile(buildingFile(file));
  const expected = { epoch: log.epoch, head: await log.head() };
  let opened = openFile(file, expected, boot);
  if (opened.db === undefined) {
    const { reason, processesThrough } = opened;
    await rebuild({ file, log, foldOf, reason, boot, processesThrough, onProgress });
    opened = openFile(file, { ...expected, head: await log.head() }, boot);
    if (opened.db === undefined) throw new Error(`The views were rebuilt and still cannot be used: ${opened.reason}`);
  }
  const { db } = opened;
  const { projections, readers } = sqliteProjections(db, log, foldOf);
  return new Runner({ log, store: new SqliteViewStore(file, db, projections), readers, onFailure, clock });
};
