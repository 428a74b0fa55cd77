/**
 * Which generation of each view is read: a rebuild makes the next one beside it, and one pointer, in the vault's database,
 * flips. Everybody looks at the pointer now and then.
 */
import type { ViewName } from '../../projections/port.ts';
import type { Checkpoints } from '../../vault/leases-port.ts';

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
): (() => void) => {
  let current = from;
  let timer: NodeJS.Timeout | undefined;
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
    if (!stopped) timer = setTimeout(() => void look(), LOOK_MS);
  };
  timer = setTimeout(() => void look(), LOOK_MS);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
};
