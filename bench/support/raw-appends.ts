import { run as runAppend } from '../append.ts';

let running: ReturnType<typeof runAppend> | undefined;

/** The append bench, run once however many benches compare themselves with it. */
export const appendFigures = (): ReturnType<typeof runAppend> => {
  running ??= runAppend();
  return running;
};

export const rawAppendsPerSecond = async (): Promise<number> => (await appendFigures()).raw;
