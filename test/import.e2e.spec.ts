/** Runs `parley import irc` as an operator does, and checks what clients then read. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api } from './support/api.ts';
import { importInto, registered, replayed } from './support/importing.ts';
import { LIMITS_OFF, type Server, startServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const fixture = resolve('app/import/fixtures/2004-12-25.excerpt.txt');

describe('an import that cannot be', () => {
  const folder = temporaryFolder();
  const data = join(folder.path, 'data');
  const refused = (says: RegExp, files = [fixture], ...names: string[]) =>
    expect(importInto(data, files, ...names)).rejects.toThrow(says);
  afterAll(() => folder.remove());

  it('is refused before anything is made of it: no file, no date, no name, nobody who could own it', async () => {
    await refused(/2005-01-01\.txt cannot be read: it is not there/, [join(folder.path, '2005-01-01.txt')]);
    await refused(/package\.json: no line of it is one of an IRC log/, [resolve('package.json')]);
    await refused(/--day: given "today"/, [fixture], 'ubuntu', '--day', 'today');
    await refused(/--channel: given "". Must be between 1 and 100 in length/, [fixture], '');
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
