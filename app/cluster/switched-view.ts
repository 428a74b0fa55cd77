/** A view as one node reads it: the generation that the pointer names, and how far that one has got. */
import type { Progress, ViewName } from '../../projections/port.ts';
import type { ProgressUpdate } from '../../projections/progress/port.ts';
import { ProgressTracker, type TrackerOptions } from '../../projections/progress/tracker.ts';
import type { PartitionStore } from '../../projections/runner/partition-store.ts';
import type { Checkpoints } from '../../vault/leases-port.ts';
import { generationOf, watchGeneration } from './generations.ts';

/** How long the next generation may take to get as far as the former; then it is tried again. */
const TAKEN_OVER_MS = 60_000;

export interface OpenView<Readers> {
  readonly readers: Readers;
  readonly store: PartitionStore;
  close(): Promise<void>;
}

/** One of the views: how its generations are made and opened. */
export interface ViewKind<Readers> {
  readonly name: ViewName;
  /** Makes what a generation needs. May be repeated. */
  prepare(generation: number): Promise<void>;
  open(generation: number): Promise<OpenView<Readers>>;
}

interface Current<Readers> extends OpenView<Readers> {
  readonly generation: number;
  readonly tracker: ProgressTracker;
}

export interface SwitchedView<Readers> {
  /** Of the generation that is read now: to be asked for each time. */
  readers(): Readers;
  readonly progress: Progress;
  heardOf(update: ProgressUpdate): void;
  close(): Promise<void>;
}

export interface SwitchedOptions<Readers> {
  readonly kind: ViewKind<Readers>;
  readonly checkpoints: Checkpoints;
  readonly partitions: number;
  readonly nothingBetween?: TrackerOptions['nothingBetween'];
}

export const switchedView = async <Readers>(options: SwitchedOptions<Readers>): Promise<SwitchedView<Readers>> => {
  const { kind, checkpoints, partitions, nothingBetween } = options;
  const opened = async (generation: number): Promise<Current<Readers>> => {
    const view = await kind.open(generation);
    const tracker = new ProgressTracker({
      partitions,
      stored: () => view.store.checkpoints(),
      ...(nothingBetween === undefined ? {} : { nothingBetween }),
    });
    // A store that is gone has not got anywhere; it is looked at again when somebody waits.
    await tracker.look().catch(() => {});
    return { ...view, generation, tracker };
  };
  let current = await opened(await generationOf(checkpoints, kind.name));
  const leave = watchGeneration(checkpoints, kind.name, current.generation, async (generation) => {
    const next = await opened(generation);
    const former = current;
    // What was seen through the former one must be seen through the next: its writers go on for that long.
    if (!(await next.tracker.whenProcessed(former.tracker.checkpoint(), TAKEN_OVER_MS))) {
      await next.close();
      throw new Error(`Generation ${generation} of ${kind.name} does not get as far as the one before it`);
    }
    current = next;
    await former.close();
  });
  return {
    readers: () => current.readers,
    progress: {
      checkpoint: () => current.tracker.checkpoint(),
      whenProcessed: (position, timeoutMs) => current.tracker.whenProcessed(position, timeoutMs),
    },
    heardOf: ({ generation, through }) => {
      if (generation !== current.generation) return;
      for (const [partition, position] of Object.entries(through)) current.tracker.moved(Number(partition), position);
    },
    async close() {
      leave();
      await current.close();
    },
  };
};

/** Stands for whatever `get` answers at the time of each call. */
export const standingFor = <T extends object>(get: () => T): T =>
  new Proxy({} as T, {
    get: (_, name) => {
      const target = get();
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
