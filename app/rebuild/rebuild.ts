/**
 * A view made anew from the log beside the one that is read, compared with it, and, in a rebuild, read in its place. Reads
 * go on all the time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LogReader } from '../../log/port.ts';
import type { Checkpoints } from '../../vault/leases-port.ts';
import { flipTo, generationOf } from '../cluster/generations.ts';
import type { Comparison } from './comparing.ts';
import { Filling } from './filling.ts';
import type { ViewTools } from './view-tools.ts';

const HAND_OVER_MS = 200;

export type Step = 'building' | 'comparing' | 'handing over';

export interface RebuildParts {
  readonly tools: ViewTools;
  readonly log: LogReader;
  readonly checkpoints: Checkpoints;
  /**
   * Milliseconds until others have taken over what was flipped to: so long it is written on. After twice that time nobody
   * reads or writes the former generation any more.
   */
  readonly overlapMs: number;
  readonly say: (line: string) => void;
  readonly onStep: (step: Step) => void;
  /** Positions: how far the building is, and how far there is to go. */
  readonly onProgress: (through: number, head: number) => void;
  /** Told of a generation that is no more. */
  readonly onDropped: (generation: number) => Promise<void>;
}

export interface Rebuilt extends Comparison {
  /** That was read before. */
  readonly former: number;
  readonly built: number;
}

interface Built {
  readonly former: number;
  readonly built: number;
  readonly filling: Filling;
  readonly comparison: Comparison;
}

const flippedAt = (name: string): string => `flipped:${name}`;
const madeAs = (name: string): string => `made:${name}`;

/** What an earlier rebuild took the place of, and what one that was broken off has left. */
const dropOthers = async (parts: RebuildParts, read: number): Promise<void> => {
  const { tools, checkpoints, overlapMs, say, onDropped } = parts;
  const { name } = tools.kind;
  const others = (await tools.generations()).filter((generation) => generation !== read);
  if (others.length === 0) return;
  const noticed = (await checkpoints.read(flippedAt(name))) + 2 * overlapMs - Date.now();
  if (noticed > 0) {
    say(`waiting ${Math.ceil(noticed / 1000)} s until nobody reads the former generation any more`);
    await delay(noticed);
  }
  for (const generation of others) {
    await tools.drop(generation);
    await onDropped(generation);
  }
};

/** Above every number that there ever was, so that nothing left of another one is met. */
const nextNumber = async ({ tools, checkpoints }: RebuildParts, read: number): Promise<number> => {
  const made = madeAs(tools.kind.name);
  const next = Math.max(read, await checkpoints.read(made), ...(await tools.generations())) + 1;
  await checkpoints.write(made, next);
  return next;
};

const build = async (parts: RebuildParts, former: number, built: number): Promise<Built> => {
  const { tools, log, say, onStep, onProgress } = parts;
  for (const generation of [former, built]) await tools.kind.prepare(generation);
  const [read, next] = await Promise.all([tools.kind.open(former), tools.kind.open(built)]);
  let head = await log.head();
  const filling = await Filling.begin({
    ...{ log, say, store: next.store },
    onProgress: (through) => onProgress(Math.min(through, head), head),
  });
  const follow = async () => filling.to(await read.store.checkpoints());
  onStep('building');
  await filling.upTo(async () => {
    head = await log.head();
    return read.store.checkpoints();
  });
  onStep('comparing');
  const comparison = await tools.compare(former, built, follow, () => filling.lowest);
  return { former, built, filling, comparison };
};

const begun = async <T>(parts: RebuildParts, use: (built: Built) => Promise<T>): Promise<T> => {
  const { tools, checkpoints } = parts;
  const former = await generationOf(checkpoints, tools.kind.name);
  const built = await nextNumber(parts, former);
  await dropOthers(parts, former);
  try {
    return await use(await build(parts, former, built));
  } catch (failure) {
    // What is left of it otherwise, the next rebuild drops.
    if ((await generationOf(checkpoints, tools.kind.name)) !== built) await tools.drop(built).catch(() => {});
    throw failure;
  }
};

/** Builds it, compares it, and leaves nothing of it. @throws RebuildFailed */
export const verifyView = (parts: RebuildParts): Promise<Rebuilt> =>
  begun(parts, async ({ former, built, comparison }) => {
    await parts.tools.drop(built);
    return { former, built, ...comparison };
  });

/**
 * Builds it, compares it, and makes it the one that is read: whatever the comparison says, since it is made from the log. It is
 * written on until others have taken that over. The former one is left where it is until the next rebuild.
 * @throws RebuildFailed
 */
export const rebuildView = (parts: RebuildParts): Promise<Rebuilt> =>
  begun(parts, async ({ former, built, filling, comparison }) => {
    const { tools, log, checkpoints, overlapMs, onStep } = parts;
    const heads = async () => {
      const head = await log.head();
      return filling.positions.map(() => head);
    };
    await filling.upTo(heads);
    await filling.flush();
    await flipTo(checkpoints, tools.kind.name, built);
    await checkpoints.write(flippedAt(tools.kind.name), Date.now());
    onStep('handing over');
    for (const until = performance.now() + overlapMs; performance.now() < until; await delay(HAND_OVER_MS))
      if (await filling.handOver(await heads())) break;
    return { former, built, ...comparison };
  });
