/** Runs the `parley` command line as an operator does. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The environment of a `parley`: of the PARLEY_* variables only these, whatever the test run itself has. */
export const environmentWith = (env: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('PARLEY_'));
  return { ...Object.fromEntries(own), ...env };
};

/**
 * @param env PARLEY_* variables; it sees no others
 * @returns its standard output
 * @throws with its output when it does not exit with 0
 */
export const parley = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> => {
  const { stdout } = await run(process.execPath, ['dist/parley.js', ...args], {
    env: environmentWith(env),
    maxBuffer: 2 ** 28,
  });
  return stdout;
};
