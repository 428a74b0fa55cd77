/**
 * Rebuilds a view from the log beside the generation in use and compares the two; a rebuild then switches readers over.
 * Reads continue all the time.
 */

import type { Checkpoints } from '../../coordination/port.ts';
import type { LogReader } from '../../log/port.ts';
import type { Clock } from '../../schemas/clock.ts';
import { Filling } from './filling.ts';
import { flipTo, generationOf, type ViewKind } from './generations.ts';

// Compares two generations of a view while both keep advancing.

/** A generation's sum for one thing: a channel, a user's markers or a table. */
export interface Sum {
  /** The thing's position; `undefined` if it changed during the look, or if its position is unknown. */
  readonly through: number | undefined;
  readonly count: number;
  readonly checksum: string;
}

/** A generation, ready to be compared. */
export interface Summed {
  all(): AsyncIterable<readonly [thing: string, sum: Sum]>;
  /** The sum of one thing, which need not exist. */
  of(thing: string): Promise<Sum>;
}

interface Difference {
  readonly thing: string;
  readonly how: string;
}

interface Comparison {
  readonly compared: number;
  readonly differences: readonly Difference[];
  /** Things written to so often that they were never seen at rest, and those left over after too many differed. */
  readonly unsettled: readonly string[];
}

/** Number of looks at a thing, over more than a second, before it counts as different. */
const LOOKS = 5;
const LOOK_MS = 300;
const AGREE_MS = 30_000;
/** A comparison stops after this many differences. */
const MOST_DIFFERENCES = 1000;

const same = (a: Sum, b: Sum): boolean => a.count === b.count && a.checksum === b.checksum;

const everything = async (summed: Summed): Promise<ReadonlyMap<string, Sum>> => {
  const found = new Map<string, Sum>();
  for await (const [thing, sum] of summed.all()) found.set(thing, sum);
  return found;
};

/** `5 rows (0123456789abcdef)` */
const said = ({ count, checksum }: Sum): string => `${count} ${count === 1 ? 'row' : 'rows'} (${checksum})`;

export const howSumsDiffer = (read: Sum, built: Sum): string => `read ${said(read)}, built ${said(built)}`;

interface Suspect {
  former: readonly [read: Sum, built: Sum] | undefined;
  /** Consecutive looks in which nothing explained the difference. */
  looks: number;
}

/**
 * Rows and their position may become visible at different times, so one look is not enough.
 * @returns true if the two stay different although neither changes, or although both are at the same position
 */
const differs = (suspect: Suspect, read: Sum, built: Sum): boolean => {
  const { former } = suspect;
  const still = former === undefined || (same(former[0], read) && same(former[1], built));
  const together = read.through !== undefined && read.through === built.through;
  suspect.looks = still || together ? suspect.looks + 1 : 0;
  suspect.former = [read, built];
  return suspect.looks >= LOOKS;
};

/** @returns the things whose sums differ, and how many things there are */
const suspected = async (read: Summed, built: Summed): Promise<{ suspects: string[]; compared: number }> => {
  const [ones, others] = await Promise.all([everything(read), everything(built)]);
  const things = [...new Set([...ones.keys(), ...others.keys()])];
  const suspects = things.filter((thing) => {
    const [one, other] = [ones.get(thing), others.get(thing)];
    return one === undefined || other === undefined || !same(one, other);
  });
  return { suspects, compared: things.length };
};

/**
 * Examines each thing whose sums differ closely.
 * @param closely describes how the two differ in rows that neither changed lately; `undefined` if they do not
 */
export const compareClosely = async (
  read: Summed,
  built: Summed,
  follow: () => Promise<void>,
  closely: (thing: string) => Promise<string | undefined>,
): Promise<Comparison> => {
  const { suspects, compared } = await suspected(read, built);
  const differences: Difference[] = [];
  while (suspects.length > 0 && differences.length < MOST_DIFFERENCES) {
    const thing = suspects.shift()!;
    await follow();
    const how = await closely(thing);
    if (how !== undefined) differences.push({ thing, how });
  }
  return { compared, differences, unsettled: suspects };
};

/**
 * Repeats the sums that differ until both sides are at rest.
 * @param follow brings the new generation to the position of the current one
 */
export const compare = async (
  read: Summed,
  built: Summed,
  follow: () => Promise<void>,
  clock: Clock,
): Promise<Comparison> => {
  const { suspects: first, compared } = await suspected(read, built);
  const suspects = new Map(first.map((thing): [string, Suspect] => [thing, { former: undefined, looks: 0 }]));
  const differences: Difference[] = [];
  const until = clock.monotonic() + AGREE_MS;
  const goesOn = () => differences.length < MOST_DIFFERENCES && clock.monotonic() < until;
  while (suspects.size > 0 && goesOn()) {
    for (const [thing, suspect] of suspects) {
      if (!goesOn()) break;
      await follow();
      const [one, other] = await Promise.all([read.of(thing), built.of(thing)]);
      if (!same(one, other) && !differs(suspect, one, other)) continue;
      suspects.delete(thing);
      if (!same(one, other)) differences.push({ thing, how: howSumsDiffer(one, other) });
    }
    if (suspects.size > 0) await clock.delay(LOOK_MS);
  }
  return { compared, differences, unsettled: [...suspects.keys()] };
};

export interface ViewTools {
  readonly kind: ViewKind<unknown>;
  /** All existing generations, complete or not, oldest first. */
  generations(): Promise<readonly number[]>;
  /** Nobody may write or read it any more. */
  drop(generation: number): Promise<void>;
  /**
   * @param follow brings the new generation to the position of the current one
   * @param lowest position that every partition of both has reached, once `follow` has resolved
   */
  compare(read: number, built: number, follow: () => Promise<void>, lowest: () => number): Promise<Comparison>;
}

const HAND_OVER_MS = 200;

type Step = 'building' | 'comparing' | 'handing over';

export interface RebuildParts {
  readonly tools: ViewTools;
  readonly log: LogReader;
  readonly checkpoints: Checkpoints;
  /**
   * Milliseconds until others have taken over the new generation; until then this process keeps writing it. After twice
   * that time nobody reads or writes the old generation any more.
   */
  readonly overlapMs: number;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly onStep: (step: Step) => void;
  /** Positions: how far the build has got, and where it ends. */
  readonly onProgress: (through: number, head: number) => void;
  /** Called after a generation was dropped. */
  readonly onDropped: (generation: number) => Promise<void>;
}

export interface Rebuilt extends Comparison {
  /** The generation that was read before. */
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

export class RebuildOvertaken extends Error {}

/**
 * Each rebuild takes the next number, so a higher number than its own tells a rebuild that hung that it has lost its turn.
 * @throws RebuildOvertaken
 */
const stillAlone = async ({ tools, checkpoints }: RebuildParts, built: number): Promise<void> => {
  const { name } = tools.kind;
  const latest = await checkpoints.read(madeAs(name));
  if (latest !== built)
    throw new RebuildOvertaken(`Another rebuild of ${name} has begun (generation ${latest}), so this one ends.`);
};

/** Drops generations that earlier rebuilds replaced, and the remains of interrupted ones. */
const dropOthers = async (parts: RebuildParts, read: number, built: number): Promise<void> => {
  const { tools, checkpoints, overlapMs, clock, say, onDropped } = parts;
  const { name } = tools.kind;
  const others = (await tools.generations()).filter((generation) => generation !== read);
  if (others.length === 0) return;
  // Another process may have switched, by another wall clock. At worst this waits as if it had happened just now.
  const passed = Math.max(0, clock.wallTime() - (await checkpoints.read(flippedAt(name))));
  const noticed = 2 * overlapMs - passed;
  if (noticed > 0) {
    say(`waiting ${Math.ceil(noticed / 1000)} s until nobody reads the former generation any more`);
    await clock.delay(noticed);
  }
  for (const generation of others) {
    await stillAlone(parts, built);
    await tools.drop(generation);
    await onDropped(generation);
  }
};

/** Higher than every number used before, so that no remains of another generation are found. */
const nextNumber = async ({ tools, checkpoints }: RebuildParts, read: number): Promise<number> => {
  const made = madeAs(tools.kind.name);
  const next = Math.max(read, await checkpoints.read(made), ...(await tools.generations())) + 1;
  await checkpoints.write(made, next);
  return next;
};

const build = async (parts: RebuildParts, former: number, built: number): Promise<Built> => {
  const { tools, log, clock, say, onStep, onProgress } = parts;
  for (const generation of [former, built]) await tools.kind.prepare(generation);
  const [read, next] = await Promise.all([tools.kind.open(former), tools.kind.open(built)]);
  let head = await log.head();
  const filling = await Filling.begin({
    ...{ log, clock, say, store: next.store },
    onProgress: (through) => onProgress(Math.min(through, head), head),
  });
  const follow = async () => {
    await filling.to(await read.store.checkpoints());
    // Some rows are stored with the checkpoints alone.
    await filling.flush();
  };
  onStep('building');
  await filling.upTo(async () => {
    await stillAlone(parts, built);
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
  await dropOthers(parts, former, built);
  try {
    return await use(await build(parts, former, built));
  } catch (failure) {
    // If this drop fails, the next rebuild drops the remains.
    if ((await generationOf(checkpoints, tools.kind.name)) !== built) await tools.drop(built).catch(() => {});
    throw failure;
  }
};

/** Builds a generation, compares it and drops it. @throws RebuildFailed */
export const verifyView = (parts: RebuildParts): Promise<Rebuilt> =>
  begun(parts, async ({ former, built, comparison }) => {
    await parts.tools.drop(built);
    return { former, built, ...comparison };
  });

/**
 * Builds a generation, compares it and makes it the one that is read, whatever the comparison says, because the log is
 * the authority. Keeps writing it until others have taken over. The old generation stays until the next rebuild.
 * @throws RebuildFailed
 */
export const rebuildView = (parts: RebuildParts): Promise<Rebuilt> =>
  begun(parts, async ({ former, built, filling, comparison }) => {
    const { tools, log, checkpoints, overlapMs, clock, onStep } = parts;
    const heads = async () => {
      const head = await log.head();
      return filling.positions.map(() => head);
    };
    await filling.upTo(heads);
    await filling.flush();
    await stillAlone(parts, built);
    await flipTo(checkpoints, tools.kind.name, built);
    await checkpoints.write(flippedAt(tools.kind.name), clock.wallTime());
    onStep('handing over');
    for (const until = clock.monotonic() + overlapMs; clock.monotonic() < until; await clock.delay(HAND_OVER_MS))
      if (await filling.handOver(await heads())) break;
    return { former, built, ...comparison };
  });
