/** `parley import irc` on a data folder, and what it made. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Api, someName } from './api.ts';
import { LIMITS_OFF, startServer } from './server.ts';

const run = promisify(execFile);

/** What `parley import irc` says. */
export const importInto = async (
  data: string,
  files: readonly string[],
  channel = 'ubuntu',
  ...options: string[]
): Promise<string> => {
  const args = ['dist/parley.js', 'import', 'irc', ...files, '--guild', 'Ubuntu', '--channel', channel, ...options];
  return (await run(process.execPath, args, { env: { ...process.env, PARLEY_DATA: data } })).stdout;
};

/** What `parley replay` prints. */
export const replayed = async (data: string, ...options: string[]): Promise<{ key: string; time: string }[]> => {
  const args = ['dist/parley.js', 'replay', ...options];
  const env = { ...process.env, PARLEY_DATA: data };
  const { stdout } = await run(process.execPath, args, { env, maxBuffer: 2 ** 28 });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
};

/** The first person to register owns what is imported. */
export const registered = async (data: string) => {
  const server = await startServer({ data, env: LIMITS_OFF });
  const account = await new Api(server.url).register(someName('owner'));
  await server.stop();
  return account;
};
