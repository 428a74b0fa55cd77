/**
 * What is there at once nearly always. Whoever gets it waits only where it is a promise: for small steps waiting costs more
 * than the step, in time as in memory.
 */
export type Soon<T> = T | Promise<T>;

/** @returns what the step makes of the value: at once if that is there. @param failed for a promise that is rejected */
export const soon = <T, R>(value: Soon<T>, step: (value: T) => Soon<R>, failed?: (failure: unknown) => R): Soon<R> =>
  value instanceof Promise ? value.then(step, failed) : step(value);
