/**
 * A view made anew from the log beside the one that is read, compared with it, and, in a rebuild, read in its place. Reads
 * go on all the time.
 */

import type { Checkpoints } from '../../coordination/port.ts';
import type { LogReader } from '../../log/port.ts';
import { type Clock, systemClock } from '../../schemas/clock.ts';
import { Filling } from './filling.ts';
import { flipTo, generationOf, type ViewKind } from './generations.ts';

// Whether two generations of a view hold the same, while both go on.

/** What a generation holds of one thing: of a channel, of a person's markers, of a table. */
export interface Sum {
  /** How far the thing has got; `undefined` when it moved while it was looked at, or where that cannot be told. */
  readonly through: number | undefined;
  readonly count: number;
  readonly checksum: string;
}

/** A generation as it is compared. */
export interface Summed {
  all(): AsyncIterable<readonly [thing: string, sum: Sum]>;
  /** Of one thing alone; of one that is not there as well. */
  of(thing: string): Promise<Sum>;
}

interface Difference {
  readonly thing: string;
  readonly how: string;
}

interface Comparison {
  readonly compared: number;
  readonly differences: readonly Difference[];
  /** Things written to so fast that they were never found at rest, and those left when too many differed to go on. */
  readonly unsettled: readonly string[];
}

/** Looks at a thing, over more than a second, before it counts as different. */
const LOOKS = 5;
const LOOK_MS = 300;
const SETTLE_MS = 30_000;
/** Whoever reads of so many knows enough. */
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
  /** How often in a row there was no reason for it to differ. */
  looks: number;
}

/**
 * What is written and what says how far that is may be seen apart from each other, so one look is not enough.
 * @returns true for what stays different though neither moves, or though both are at the same place.
 */
const differs = (suspect: Suspect, read: Sum, built: Sum): boolean => {
  const { former } = suspect;
  const still = former === undefined || (same(former[0], read) && same(former[1], built));
  const together = read.through !== undefined && read.through === built.through;
  suspect.looks = still || together ? suspect.looks + 1 : 0;
  suspect.former = [read, built];
  return suspect.looks >= LOOKS;
};

/** @returns things whose sums are not equal, and how many things there are. */
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
 * Where the sums of a thing are not equal, it is looked at closely.
 * @param closely how the two differ in what neither has changed lately; `undefined` where they do not
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
 * Where the sums of a thing are not equal, they are asked for again until both are at rest.
 * @param follow brings what was built to where the other one is now
 */
export const compare = async (
  read: Summed,
  built: Summed,
  follow: () => Promise<void>,
  clock: Clock = systemClock,
): Promise<Comparison> => {
  const { suspects: first, compared } = await suspected(read, built);
  const suspects = new Map(first.map((thing): [string, Suspect] => [thing, { former: undefined, looks: 0 }]));
  const differences: Difference[] = [];
  const until = clock.monotonic() + SETTLE_MS;
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
  /** All that are there, complete or not, oldest first. */
  generations(): Promise<readonly number[]>;
  /** Nobody may write or read it any more. */
  drop(generation: number): Promise<void>;
  /**
   * @param follow brings what was built to where the one that is read is now.
   * @param lowest position that both have reached in every partition, once `follow` has resolved
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
   * Milliseconds until others have taken over what was flipped to: so long it is written on. After twice that time nobody
   * reads or writes the former generation any more.
   */
  readonly overlapMs: number;
  /** Default: the system's. */
  readonly clock?: Clock;
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
  const { tools, checkpoints, overlapMs, clock = systemClock, say, onDropped } = parts;
  const { name } = tools.kind;
  const others = (await tools.generations()).filter((generation) => generation !== read);
  if (others.length === 0) return;
  const noticed = (await checkpoints.read(flippedAt(name))) + 2 * overlapMs - clock.wallTime();
  if (noticed > 0) {
    say(`waiting ${Math.ceil(noticed / 1000)} s until nobody reads the former generation any more`);
    await clock.delay(noticed);
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
    const { tools, log, checkpoints, overlapMs, clock = systemClock, onStep } = parts;
    const heads = async () => {
      const head = await log.head();
      return filling.positions.map(() => head);
    };
    await filling.upTo(heads);
    await filling.flush();
    await flipTo(checkpoints, tools.kind.name, built);
    await checkpoints.write(flippedAt(tools.kind.name), clock.wallTime());
    onStep('handing over');
    for (const until = clock.monotonic() + overlapMs; clock.monotonic() < until; await clock.delay(HAND_OVER_MS))
      if (await filling.handOver(await heads())) break;
    return { former, built, ...comparison };
  });
