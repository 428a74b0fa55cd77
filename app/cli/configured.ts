/** What every command of the command line begins with. */
import { either } from 'fp-ts';
import type { Config } from '../../schemas/config.ts';
import { readConfig } from '../config.ts';

/** EX_CONFIG and EX_UNAVAILABLE of sysexits.h. */
export const Exit = { configuration: 78, failed: 69 } as const;

export const say = (line: string): void => void process.stdout.write(`${line}\n`);
export const complain = (line: string): void => void process.stderr.write(`${line}\n`);
/** For people who wonder what is waited for. */
export const wait = (line: string): void => complain(`parley: ${line}`);

export const counted = (count: number, what: string): string =>
  `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;

/**
 * The configuration, or the end of the process with a line for each variable that is wrong.
 * @param given on the command line, before what the environment says
 */
export const configured = (given: Readonly<Record<string, string>> = {}): Config => {
  const config = readConfig({ ...process.env, ...given });
  if (either.isRight(config)) return config.right;
  complain('Parley cannot start, its configuration is wrong:');
  for (const line of config.left) complain(`  ${line}`);
  process.exit(Exit.configuration);
};

/** Runs a command; an error becomes one clear line and an exit code, never a stack. */
export const reported = async (run: () => Promise<void>): Promise<void> => {
  try {
    await run();
  } catch (error) {
    complain(`parley: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(Exit.failed);
  }
};
