/** discord.py and hikari, unmodified. They are skipped, which is said, where Python or its packages cannot be had. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { either } from 'fp-ts';
import { beforeAll } from 'vitest';
import { librariesSuite, type StartBot } from './suites/libraries.ts';
import { programs, pythonWithPackages } from './support/python.ts';

type Line = readonly ['heard', string] | readonly [number: number, result: unknown, error?: string];

let python: Awaited<ReturnType<typeof pythonWithPackages>>;

beforeAll(async () => {
  python = await pythonWithPackages();
  if (either.isLeft(python)) process.stderr.write(`\n!!! discord.py AND hikari ARE NOT TRIED: ${python.left}\n\n`);
}, 120_000);

/** @param file of `support/python`, whose `bot.py` says what lines it reads and writes */
const bot =
  (file: string): StartBot =>
  async (url, token, heard, context) => {
    if (either.isLeft(python)) return context.skip(python.left);
    const { program, env } = python.right;
    const child = spawn(program, [join(programs, file), url, token], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const asked: ((line: Line) => void)[] = [];
    child.once('exit', (code) => {
      for (const answer of asked) answer([0, null, `${file} ended with ${code}`]);
    });
    createInterface(child.stdout).on('line', (text) => {
      const line: Line = JSON.parse(text);
      if (line[0] === 'heard') heard(line[1]);
      else asked[line[0]]!(line);
    });
    const ask = (...command: readonly string[]) =>
      new Promise<unknown>((resolve, reject) => {
        const number = asked.push(([, result, error]) => (error === undefined ? resolve(result) : reject(error))) - 1;
        child.stdin.write(`${JSON.stringify([number, ...command])}\n`);
      });
    return {
      send: (...given) => ask('send', ...given) as Promise<string>,
      edit: (...given) => ask('edit', ...given),
      react: (...given) => ask('react', ...given),
      delete: (...given) => ask('delete', ...given),
      members: (guildId) => ask('members', guildId) as Promise<number>,
      cut: () => ask('cut'),
      end: async () => {
        const last = setTimeout(() => child.kill('SIGKILL'), 5_000);
        child.stdin.end();
        await ended;
        clearTimeout(last);
      },
    };
  };

librariesSuite({ 'discord.py': bot('discord_py.py'), hikari: bot('hikari_bot.py') });
