/** Whether two generations of a view hold the same, while both go on. */
import { setTimeout as delay } from 'node:timers/promises';

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

export interface Difference {
  readonly thing: string;
  readonly how: string;
}

export interface Comparison {
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
export const compare = async (read: Summed, built: Summed, follow: () => Promise<void>): Promise<Comparison> => {
  const { suspects: first, compared } = await suspected(read, built);
  const suspects = new Map(first.map((thing): [string, Suspect] => [thing, { former: undefined, looks: 0 }]));
  const differences: Difference[] = [];
  const until = performance.now() + SETTLE_MS;
  const goesOn = () => differences.length < MOST_DIFFERENCES && performance.now() < until;
  while (suspects.size > 0 && goesOn()) {
    for (const [thing, suspect] of suspects) {
      if (!goesOn()) break;
      await follow();
      const [one, other] = await Promise.all([read.of(thing), built.of(thing)]);
      if (!same(one, other) && !differs(suspect, one, other)) continue;
      suspects.delete(thing);
      if (!same(one, other)) differences.push({ thing, how: howSumsDiffer(one, other) });
    }
    if (suspects.size > 0) await delay(LOOK_MS);
  }
  return { compared, differences, unsettled: [...suspects.keys()] };
};
