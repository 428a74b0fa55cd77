/** Python libraries, as far as this machine has Python and reaches its packages. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { either } from 'fp-ts';

const run = promisify(execFile);

/** Folder of the programs, and of the list of the packages that they need. */
export const programs = resolve('test/support/python');

/** pip's own limits are minutes. */
const INSTALL_MS = 90_000;

export interface Python {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The interpreter, and what tells its packages from those of another one. */
const interpreter = async (): Promise<{ readonly program: string; readonly kind: string }> => {
  const program = 'python3';
  const { stdout } = await run(program, [
    '-c',
    'import sys, sysconfig; assert sys.version_info >= (3, 10), "it is older than 3.10"; ' +
      'print(sys.implementation.cache_tag, sysconfig.get_platform())',
  ]);
  return { program, kind: stdout.trim() };
};

/** Installs the packages, unless a former run did: they stay in the user's cache. @returns their folder */
const installed = async ({ program, kind }: { readonly program: string; readonly kind: string }): Promise<string> => {
  const list = join(programs, 'requirements.txt');
  const name = createHash('sha256')
    .update(`${kind}\n${await readFile(list, 'utf8')}`)
    .digest('hex')
    .slice(0, 16);
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'parley', `python-${name}`);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const begun = await mkdtemp(`${folder}-`);
  try {
    const options = ['--quiet', '--no-input', '--only-binary', ':all:', '--timeout', '5', '--retries', '1'];
    await run(program, ['-m', 'pip', 'install', ...options, '--target', begun, '--requirement', list], {
      timeout: INSTALL_MS,
      killSignal: 'SIGKILL',
    });
    // Another run may have been faster.
    await rename(begun, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(begun, { recursive: true, force: true });
  }
  return folder;
};

/** @returns Python with the packages, or why there is none */
export const pythonWithPackages = async (): Promise<either.Either<string, Python>> => {
  try {
    const found = await interpreter();
    // pip has compiled the packages; nothing is to be written beside the programs.
    const env = { ...process.env, PYTHONPATH: await installed(found), PYTHONDONTWRITEBYTECODE: '1' };
    return either.right({ program: found.program, env });
  } catch (error) {
    const { message, stderr } = error as Error & { readonly stderr?: string };
    return either.left((stderr || message).trim().split('\n').at(-1)!);
  }
};
