/** Whether containers can be run here. */
import { findProgram, run } from '../native/run.ts';

let answer: Promise<boolean> | undefined;

/** True when an engine answers and the client has the compose plugin. Checked once per process. */
export const hasDocker = (): Promise<boolean> => {
  answer ??= (async () => {
    if (findProgram('docker') === undefined) return false;
    try {
      await run('docker', ['info']);
      await run('docker', ['compose', 'version']);
      return true;
    } catch {
      return false;
    }
  })();
  return answer;
};
