/**
 * Which generation of each view is read: a rebuild makes the next one beside it, and one pointer, in the vault's database,
 * flips. Everybody looks at the pointer now and then.
 */

import type { Checkpoints } from '../../coordination/port.ts';
import { type Clock, systemClock } from '../../schemas/clock.ts';
import type { PartitionStore, Progress, ViewName } from './port.ts';
import { ProgressTracker, type ProgressUpdate, type TrackerOptions } from './progress/port.ts';

const FIRST = 1;
const LOOK_MS = 500;
/** How long a generation is still written after another has taken its place: until every reader has noticed. */
export const OVERLAP_MS = 10_000;

const nameOf = (view: ViewName): string => `generation:${view}`;

export const generationOf = async (checkpoints: Checkpoints, view: ViewName): Promise<number> =>
  Math.max(FIRST, await checkpoints.read(nameOf(view)));

/** From now on this generation is the one that is read. */
export const flipTo = (checkpoints: Checkpoints, view: ViewName, generation: number): Promise<void> =>
  checkpoints.write(nameOf(view), generation);

/** Calls `onFlip` for each generation that takes the place of `from`, one after another. @returns how to stop */
export const watchGeneration = (
  checkpoints: Checkpoints,
  view: ViewName,
  from: number,
  onFlip: (generation: number) => Promise<void>,
  clock: Clock = systemClock,
): (() => void) => {
  let current = from;
  let cancel = () => {};
  let stopped = false;
  const look = async (): Promise<void> => {
    try {
      const generation = await generationOf(checkpoints, view);
      if (generation > current && !stopped) {
        await onFlip(generation);
        current = generation;
      }
    } catch {
      // The vault is gone, or the new generation's store: it is looked at again.
    }
    if (!stopped) cancel = clock.setTimer(LOOK_MS, () => void look());
  };
  cancel = clock.setTimer(LOOK_MS, () => void look());
  return () => {
    stopped = true;
    cancel();
  };
};

// A view as one node reads it: the generation that the pointer names, and how far that one has got.

/** How long the next generation may take to get as far as the former; then it is tried again. */
const TAKEN_OVER_MS = 60_000;

interface OpenView<Readers> {
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

interface SwitchedOptions<Readers> {
  readonly kind: ViewKind<Readers>;
  readonly checkpoints: Checkpoints;
  readonly partitions: number;
  readonly nothingBetween?: TrackerOptions['nothingBetween'];
  /** Default: the system's. */
  readonly clock?: Clock;
}

export const switchedView = async <Readers>(options: SwitchedOptions<Readers>): Promise<SwitchedView<Readers>> => {
  const { kind, checkpoints, partitions, nothingBetween, clock = systemClock } = options;
  const opened = async (generation: number): Promise<Current<Readers>> => {
    const view = await kind.open(generation);
    const tracker = new ProgressTracker({
      partitions,
      stored: () => view.store.checkpoints(),
      clock,
      ...(nothingBetween === undefined ? {} : { nothingBetween }),
    });
    // A store that is gone has not got anywhere; it is looked at again when somebody waits.
    await tracker.look().catch(() => {});
    return { ...view, generation, tracker };
  };
  let current = await opened(await generationOf(checkpoints, kind.name));
  const leave = watchGeneration(
    checkpoints,
    kind.name,
    current.generation,
    async (generation) => {
      const next = await opened(generation);
      const former = current;
      // What was seen through the former one must be seen through the next: its writers go on for that long.
      if (!(await next.tracker.whenProcessed(former.tracker.checkpoint(), TAKEN_OVER_MS))) {
        await next.close();
        throw new Error(`Generation ${generation} of ${kind.name} does not get as far as the one before it`);
      }
      current = next;
      await former.close();
    },
    clock,
  );
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
