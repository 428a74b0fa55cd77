/** Runs `parley import irc` as an operator does, and checks what clients then read. */

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api, someName } from './support/api.ts';
import { LIMITS_OFF, type Server, startServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const run = promisify(execFile);
const logs = resolve('../shared/data/irc');
const fixture = resolve('app/import/fixtures/2004-12-25.excerpt.txt');

const importInto = async (data: string, files: readonly string[], channel = 'ubuntu'): Promise<string> => {
  const args = ['dist/parley.js', 'import', 'irc', ...files, '--guild', 'Ubuntu', '--channel', channel];
  return (await run(process.execPath, args, { env: { ...process.env, PARLEY_DATA: data } })).stdout;
};

const replayed = async (data: string, ...options: string[]): Promise<{ key: string; time: string }[]> => {
  const args = ['dist/parley.js', 'replay', ...options];
  const env = { ...process.env, PARLEY_DATA: data };
  const { stdout } = await run(process.execPath, args, { env, maxBuffer: 2 ** 28 });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
};

/** The first person to register owns what is imported. */
const registered = async (data: string) => {
  const server = await startServer({ data, env: LIMITS_OFF });
  const account = await new Api(server.url).register(someName('owner'));
  await server.stop();
  return account;
};

describe('an import that cannot be', () => {
  const folder = temporaryFolder();
  const data = join(folder.path, 'data');
  const refused = (says: RegExp, files = [fixture], ...names: string[]) =>
    expect(importInto(data, files, ...names)).rejects.toThrow(says);
  afterAll(() => folder.remove());

  it('is refused before anything is made of it: no file, no date, no name, nobody who could own it', async () => {
    await refused(/2005-01-01\.txt cannot be read: ENOENT/, [join(folder.path, '2005-01-01.txt')]);
    await refused(/must hold a date/, [resolve('package.json')]);
    await refused(/--channel: given "". Must be between 1 and 100 characters/, [fixture], '');
    await refused(/has no log: nobody has registered yet.*: start the server, register/);
    expect(existsSync(data)).toBe(false);
  });

  it('is refused while nobody has registered, or when its channel is the first of a new guild', async () => {
    const server = await startServer({ data });
    await server.stop();
    await refused(/nobody has registered yet.*: start the server, register/);
    await registered(data);
    await refused(/the guild Ubuntu has a channel general that was not imported/, [fixture], 'general');
    expect(await replayed(data, '--types', 'guild-created')).toEqual([]);
  });
});

describe('an imported excerpt', () => {
  const folder = temporaryFolder();
  let server: Server | undefined;
  let owner: Api;
  let channelId = '';

  beforeAll(async () => {
    const account = await registered(folder.path);
    await importInto(folder.path, [fixture]);
    server = await startServer({ data: folder.path, env: LIMITS_OFF });
    owner = new Api(server.url, account);
    const [guild] = await owner.ask<{ id: string }[]>('GET', '/users/@me/guilds');
    const channels = await owner.ask<{ id: string; name: string }[]>('GET', `/guilds/${guild!.id}/channels`);
    channelId = channels.find(({ name }) => name === 'ubuntu')!.id;
  });
  afterAll(async () => {
    if (server?.alive()) await server.kill();
    folder.remove();
  });

  it('reads like any other history, with the original times', async () => {
    const messages = await owner.history(channelId, '?limit=100');
    expect(messages).toHaveLength(20);
    expect(messages.map(({ ordinal }) => ordinal)).toEqual([...messages.keys()].map((i) => 20 - i));
    for (const { timestamp } of messages as unknown as { timestamp: string }[])
      expect(timestamp).toMatch(/^2004-12-25T/);
  });

  it('has ids that grow with the ordinal and start no earlier than 2015', async () => {
    const ids = (await owner.history(channelId, '?limit=100')).map(({ id }) => BigInt(id)).reverse();
    for (let i = 1; i < ids.length; i += 1) expect(ids[i]! >> 22n).toBeGreaterThan(ids[i - 1]! >> 22n);
    expect(ids[0]! >> 22n).toBe(0n);
  });

  it('shows actions in italics', async () => {
    const messages = await owner.history(channelId, '?limit=100');
    expect(messages.filter(({ content }) => /^_.*_$/.test(content))).toHaveLength(1);
  });

  it('has authors that nobody can sign in as', async () => {
    const [message] = await owner.history(channelId, '?limit=1');
    const answer = await new Api(server!.url).request('POST', '/login', {
      username: message!.author.username,
      password: 'anything at all',
    });
    expect(answer.status).toBe(400);
  });

  it('is refused while a server runs on the folder, and the error names the server', async () => {
    await expect(importInto(folder.path, [fixture])).rejects.toThrow(String(server!.pid));
  });

  it('grows by what its file has grown by, under any name, and not by what is named twice', async () => {
    await server!.stop();
    const grown = join(folder.path, 'grown.2004-12-25.txt');
    writeFileSync(grown, readFileSync(fixture));
    expect(await importInto(folder.path, [grown, fixture])).toContain('0 messages added, 40 known');
    const more = '[23:58] <will> good night\n[23:59] <will> good night\n';
    writeFileSync(grown, more, { flag: 'a' });
    expect(await importInto(folder.path, [grown, grown])).toContain('2 messages added, 42 known');
    expect(await importInto(folder.path, [grown])).toContain('0 messages added, 22 known');
  });

  it('is refused for a channel that was not imported', async () => {
    await expect(importInto(folder.path, [fixture], 'general')).rejects.toThrow(/was not imported/);
  });
});

describe.skipIf(!existsSync(logs))('the 39 logs of #ubuntu', () => {
  const folder = temporaryFolder();
  const files = existsSync(logs)
    ? readdirSync(logs)
        .filter((name) => name.endsWith('.raw.txt'))
        .map((name) => join(logs, name))
    : [];
  afterAll(() => folder.remove());

  it('account for every line, and a second import adds nothing', async () => {
    expect(files).toHaveLength(39);
    await registered(folder.path);
    const lines = '55265 lines: 48593 said (4 empty), 97 actions, 6570 system lines, 5 others';
    const first = await importInto(folder.path, files);
    expect(first).toContain(lines);
    expect(first).toContain('48686 messages added, 0 known');
    expect(first).toMatch(/now ends at ordinal 48686$/m);
    const events = await replayed(folder.path);
    const second = await importInto(folder.path, files);
    expect(second).toContain(lines);
    expect(second).toContain('0 messages added, 48686 known');
    expect(second).toMatch(/now ends at ordinal 48686$/m);
    expect(await replayed(folder.path)).toEqual(events);
  }, 240_000);

  it('make one account for all spellings of a nickname', async () => {
    const accounts = await replayed(folder.path, '--types', 'user-registered');
    // 4,613 people sent messages, 6 only acted, and one person registered.
    expect(accounts).toHaveLength(4_620);
  });
});
