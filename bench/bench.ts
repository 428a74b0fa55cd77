/** What a bench is, and what it says. */

export interface Reach {
  readonly comparison: '>=' | '<=' | '<';
  readonly value: number;
  /** Of the ratio, where it is not a pure number. */
  readonly unit?: string;
}

export interface Measured {
  /** What the ratio was made of, by name, with the unit in the name. */
  readonly figures: Readonly<Record<string, number | string>>;
  readonly ratio: number;
}

export interface Bench {
  readonly name: string;
  /** What is compared with what. */
  readonly title: string;
  /** Where one was set; otherwise the ratio is only reported. */
  readonly reach?: Reach;
  /** Makes what several benches share, outside of the bench's own time. */
  prepare?(): Promise<unknown>;
  /** Leaves nothing behind: no file, no process. */
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
