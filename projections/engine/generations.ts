/**
 * Decides which generation of each view is read. A rebuild fills the next generation beside it, then a pointer in the
 * vault's database flips. Every node polls the pointer.
 */

import type { Checkpoints } from '../../coordination/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import type { PartitionStore, Progress, ViewName } from './port.ts';
import { ProgressTracker, type ProgressUpdate, type TrackerOptions } from './progress/port.ts';

const FIRST = 1;
const { lookMs, overlapMs, takenOverMs } = BUDGETS.generations;
/** How long a replaced generation is still written. */
export const OVERLAP_MS = overlapMs;

const nameOf = (view: ViewName): string => `generation:${view}`;

export const generationOf = async (checkpoints: Checkpoints, view: ViewName): Promise<number> =>
  Math.max(FIRST, await checkpoints.read(nameOf(view)));

/** Makes this the generation that is read. */
export const flipTo = (checkpoints: Checkpoints, view: ViewName, generation: number): Promise<void> =>
  checkpoints.write(nameOf(view), generation);

/**
 * Calls `onFlip` for each generation that replaces `from`, one after another.
 * @returns a function that stops watching
 */
export const watchGeneration = (
  checkpoints: Checkpoints,
  view: ViewName,
  from: number,
  onFlip: (generation: number) => Promise<void>,
  clock: Clock,
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
      // The vault or the new generation's store is unavailable; the next look tries again.
    }
    if (!stopped) cancel = clock.setTimer(lookMs, () => void look());
  };
  cancel = clock.setTimer(lookMs, () => void look());
  return () => {
    stopped = true;
    cancel();
  };
};

// One node's access to a view: the generation that the pointer names, and its progress.

interface OpenView<Readers> {
  readonly readers: Readers;
  readonly store: PartitionStore;
  close(): Promise<void>;
}

/** How the generations of one view are created and opened. */
export interface ViewKind<Readers> {
  readonly name: ViewName;
  /** Creates what a generation needs. May be repeated. */
  prepare(generation: number): Promise<void>;
  open(generation: number): Promise<OpenView<Readers>>;
}

interface Current<Readers> extends OpenView<Readers> {
  readonly generation: number;
  readonly tracker: ProgressTracker;
}

export interface SwitchedView<Readers> {
  /** Readers of the current generation. Ask again for each use. */
  readers(): Readers;
  readonly progress: Progress;
  heardOf(update: ProgressUpdate): void;
  /** Asks the store how far the view has got. */
  look(): Promise<void>;
  /** Position through which every partition's checkpoint is stored. */
  stored(): Promise<number>;
  close(): Promise<void>;
}

interface SwitchedOptions<Readers> {
  readonly kind: ViewKind<Readers>;
  readonly checkpoints: Checkpoints;
  readonly partitions: number;
  readonly nothingBetween?: TrackerOptions['nothingBetween'];
  readonly clock: Clock;
}

export const switchedView = async <Readers>(options: SwitchedOptions<Readers>): Promise<SwitchedView<Readers>> => {
  const { kind, checkpoints, partitions, nothingBetween, clock } = options;
  const opened = async (generation: number): Promise<Current<Readers>> => {
    const view = await kind.open(generation);
    const tracker = new ProgressTracker({
      partitions,
      stored: () => view.store.checkpoints(),
      clock,
      ...(nothingBetween === undefined ? {} : { nothingBetween }),
    });
    // An unavailable store counts as being at the start. It is asked again when somebody waits.
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
      // What was visible in the old generation must be visible in the next. Its writers run on for that long.
      for (let shown = -1; shown < former.tracker.checkpoint(); ) {
        shown = former.tracker.checkpoint();
        if (await next.tracker.whenProcessed(shown, takenOverMs)) continue;
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
    heardOf: ({ generation, through, empty = [] }) => {
      if (generation !== current.generation) return;
      for (const [partition, position] of Object.entries(through)) current.tracker.moved(Number(partition), position);
      for (const range of empty) current.tracker.passed(range);
    },
    look: () => current.tracker.look(),
    stored: async () => Math.min(...(await current.store.checkpoints())),
    async close() {
      leave();
      await current.close();
    },
  };
};

/** A proxy for whatever `get` returns at the time of each call. */
export const standingFor = <T extends object>(get: () => T): T =>
  new Proxy({} as T, {
    get: (_, name) => {
      const target = get();
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
