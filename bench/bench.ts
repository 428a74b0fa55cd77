/** A bench and its result. */

export interface Reach {
  readonly comparison: '>=' | '<=' | '<';
  readonly value: number;
  /** Unit of the ratio, where it is not a pure number. */
  readonly unit?: string;
}

export interface Measured {
  /** The measurements behind the ratio, by name. The name includes the unit. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** Null where there is nothing to compare with. */
  readonly ratio: number | null;
}

export interface Bench {
  readonly name: string;
  /** What the ratio compares. */
  readonly title: string;
  /** The target for the ratio. Without one the ratio is only reported. */
  readonly reach?: Reach;
  /** Prepares what several benches share, outside the bench's own time. */
  prepare?(): Promise<unknown>;
  /** Removes every file and ends every process. */
  run(): Promise<Measured>;
}

export const reached = (reach: Reach, ratio: number): boolean => {
  if (reach.comparison === '>=') return ratio >= reach.value;
  return reach.comparison === '<=' ? ratio <= reach.value : ratio < reach.value;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** @param q 0 to 1 */
export const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]!;

export const round = (value: number, digits = 0): number => Number(value.toFixed(digits));
