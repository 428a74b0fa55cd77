import { run as runAppend } from '../append.ts';

let running: ReturnType<typeof runAppend> | undefined;

/** The append bench, carried out once in a run however many benches compare themselves with it. */
export const appendFigures = (): ReturnType<typeof runAppend> => {
  running ??= runAppend();
  return running;
};

export const rawAppendsPerSecond = async (): Promise<number> => (await appendFigures()).raw;
