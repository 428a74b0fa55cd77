/** Runs programs to completion: installers, and those that make a server's first data. */

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Account } from './service.ts';

export interface RunOptions {
  readonly account?: Account;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Resolves with its output.
 *
 * @throws Error with the end of its output when its exit code is not 0
 */
export const run = (command: string, args: readonly string[], options: RunOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd ?? '/',
      env: { ...process.env, ...options.environment },
      ...options.account,
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const output = Buffer.concat(chunks).toString('utf8').trim();
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ended with ${code}:\n${output.split('\n').slice(-20).join('\n')}`));
    });
  });

/** The program's file, looked up in `folders` and then on the PATH. */
export const findProgram = (name: string, folders: readonly string[] = []): string | undefined => {
  const onPath = (process.env.PATH ?? '').split(':').filter((folder) => folder !== '');
  return [...folders, ...onPath, '/usr/sbin', '/sbin']
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
};
