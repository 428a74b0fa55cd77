/** The views file made anew on request: beside the one in use, compared with that one, and swapped in or thrown away. */
import type { LogReader } from '../../../log/port.ts';
import { bootId } from './boot.ts';
import { buildingFile, removeFile, swapIn } from './file.ts';
import { inspectViews, type TableSum, tableSums } from './inspect.ts';
import type { FoldOf } from './projections.ts';
import { buildBeside } from './rebuild.ts';

export interface Remaking {
  readonly file: string;
  /** Nobody else may write to it or use the file. */
  readonly log: LogReader;
  readonly foldOf: FoldOf;
  readonly onProgress: (through: number, head: number) => void;
}

export interface TableDifference {
  readonly read: TableSum;
  readonly built: TableSum;
}

export interface Remade {
  /** Position at which the two were compared; `undefined` where the former file is missing, damaged or another log's. */
  readonly comparedAt: number | undefined;
  readonly compared: number;
  readonly differences: readonly TableDifference[];
}

const NOTHING = { count: 0, checksum: '' };

const differencesOf = (former: readonly TableSum[], built: readonly TableSum[]): readonly TableDifference[] =>
  built.flatMap((now) => {
    const read = former.find(({ table }) => table === now.table) ?? { ...NOTHING, table: now.table };
    return read.count === now.count && read.checksum === now.checksum ? [] : [{ read, built: now }];
  });

const buildAndCompare = async ({ file, log, foldOf, onProgress }: Remaking): Promise<Remade> => {
  const former = inspectViews(file);
  const head = await log.head();
  const processesThrough = former?.epoch === log.epoch ? Math.min(former.processesThrough, head) : 0;
  const build = (through: number) =>
    buildBeside({
      ...{ file, log, foldOf, processesThrough, through },
      boot: bootId(),
      onProgress: (reached) => onProgress(reached, through),
    });
  const comparable = former?.current && former.epoch === log.epoch && former.checkpoint <= head;
  if (!comparable) {
    await build(head);
    return { comparedAt: undefined, compared: 0, differences: [] };
  }
  // A file that was left behind is compared where it is; what it lacks is added at the next start.
  await build(former.checkpoint);
  const built = tableSums(buildingFile(file));
  const differences = differencesOf(tableSums(file), built);
  return { comparedAt: former.checkpoint, compared: built.length, differences };
};

/** Leaves the file in use as it is. */
export const verifyViews = async (options: Remaking): Promise<Remade> => {
  try {
    return await buildAndCompare(options);
  } finally {
    removeFile(buildingFile(options.file));
  }
};

/** What was built takes the place of the former file, whatever the comparison says, since it is made from the log. */
export const remakeViews = async (options: Remaking): Promise<Remade> => {
  const remade = await buildAndCompare(options);
  swapIn(options.file);
  return remade;
};
