/** Reads what a process exports at /metrics. */

interface Bucket {
  /** Upper bound, inclusive. */
  readonly le: number;
  /** The number of values up to the bound. */
  readonly count: number;
}

export interface Told {
  /** The values of one metric, whatever its labels. */
  all(name: string): readonly number[];
  /** Buckets of a histogram without labels, the lowest first. */
  buckets(name: string): readonly Bucket[];
}

export const metricsOf = async (url: string): Promise<Told> => {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
  const numberIn = (line: string): number => Number(line.slice(line.lastIndexOf(' ') + 1));
  return {
    all: (name) => lines.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`)).map(numberIn),
    buckets: (name) =>
      lines
        .filter((line) => line.startsWith(`${name}_bucket{le="`))
        .map((line) => ({
          le: Number(/le="([^"]*)"/.exec(line)![1]!.replace('+Inf', 'Infinity')),
          count: numberIn(line),
        })),
  };
};

/**
 * A quantile of what a histogram recorded between two readings: the exact bucket, interpolated evenly within it.
 * @param q 0 to 1
 */
export const quantileBetween = (before: readonly Bucket[], after: readonly Bucket[], q: number): number => {
  const counts = after.map(({ count }, i) => count - (before[i]?.count ?? 0));
  const wanted = q * (counts.at(-1) ?? 0);
  const at = counts.findIndex((count) => count >= wanted);
  const [low, high] = [after[at - 1]?.le ?? 0, after[at]?.le ?? Number.NaN];
  const below = counts[at - 1] ?? 0;
  return low + (high - low) * ((wanted - below) / Math.max(1, counts[at]! - below));
};
