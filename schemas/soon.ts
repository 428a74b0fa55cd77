/**
 * What is there at once nearly always. Whoever gets it waits only where it is a promise: for small steps waiting costs more
 * than the step, in time as in memory.
 */
export type Soon<T> = T | Promise<T>;
