/** The permission function beside that of discord.py, on random guilds: timeouts, and what a missing right takes along. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import fc from 'fast-check';
import { either } from 'fp-ts';
import { expect, it } from 'vitest';
import { Permission } from '../domain/permissions.ts';
import { programs, pythonWithPackages } from './support/python.ts';
import { aGuild, permissionsIn, USED } from './support/random-guilds.ts';

const SEVERAL = 10_000;

it('gives the same permissions as discord.py in random guilds', async (context) => {
  const python = await pythonWithPackages();
  if (either.isLeft(python)) {
    process.stderr.write(`\n!!! THE PERMISSIONS OF discord.py ARE NOT COMPARED: ${python.left}\n\n`);
    return context.skip(python.left);
  }
  const guilds = fc.sample(aGuild, SEVERAL);
  const { program, env } = python.right;
  const child = spawn(program, [join(programs, 'permissions.py')], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(guilds));
  const theirs = (await json(child.stdout)) as readonly string[];
  const differing = guilds.flatMap((one, n) => {
    const found = BigInt(theirs[n]!) & USED;
    // Without a view it takes what concerns channels; rights in the guild are not asked of a channel here.
    const expected = (found & Permission.viewChannel) === 0n ? 0n : found;
    const ours = permissionsIn(one).inChannel & USED;
    return ours === expected ? [] : [{ one, ours, expected }];
  });
  expect(theirs).toHaveLength(SEVERAL);
  expect(differing.slice(0, 3)).toEqual([]);
}, 120_000);
