/** The README's commands work as written. Only the server's address differs here. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api, type Message } from './support/api.ts';
import { type Server, startServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { Watched } from './support/watched.ts';

const readme = readFileSync('README.md', 'utf8');
const scripts = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }).scripts;

/** Code blocks of one language below a heading. */
const blocks = (heading: string, language: string, page = readme): string[] => {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading))!;
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code!);
};

const ADD_REACTIONS = '64';

/** A child process whose output can be waited for. */
const speaking = (child: ChildProcess) => {
  const watched = new Watched();
  let words = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      words += text;
      watched.changed();
    });
  }
  return {
    said: () => words,
    until: (part: string) =>
      watched.until(
        () => words.includes(part),
        () => `"${part}" in: ${words}`,
      ),
  };
};

describe('the README', () => {
  const data = temporaryFolder();
  /** A folder like the reader's: it has `node_modules`, and no other test depends on it. */
  const folder = temporaryFolder();
  let server: Server;
  let firstMessage: { out: string; code: number | null };
  let environment: Record<string, string>;

  beforeAll(async () => {
    for (const name of ['node_modules', 'client']) symlinkSync(resolve(name), join(folder.path, name));
    server = await startServer({ data: data.path });
    const typed = blocks('First message', 'sh').join('\n').replace('http://127.0.0.1:7480', server.url);
    expect(typed).toContain(server.url);
    // The last lines print the variables that the reader's shell would still have.
    const shell = spawn(
      'bash',
      ['-eu', '-c', `${typed}\necho\nfor name in TOKEN GUILD CHANNEL BOT_TOKEN; do echo "$name=\${!name}"; done`],
      {
        cwd: folder.path,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const { said } = speaking(shell);
    const [code] = (await once(shell, 'close')) as [number | null];
    firstMessage = { out: said(), code };
    environment = Object.fromEntries(
      [...said().matchAll(/^([A-Z_]+)=(.+)$/gm)].map(([, name, value]) => [name, value]),
    );
  });

  afterAll(async () => {
    await server?.kill();
    data.remove();
    folder.remove();
  });

  it('names two commands that exist', () => {
    expect(blocks('Two commands', 'sh').map((block) => block.replace(/#.*/, '').trim())).toEqual([
      'npm ci && npm start',
      'npm ci && npm test',
    ]);
    expect(scripts).toMatchObject({ start: expect.any(String), test: expect.any(String), bench: expect.any(String) });
  });

  it('shows the commands that CI runs', () => {
    expect(readFileSync('.ci/run', 'utf8')).toContain('\nnpm ci && npm test\n');
  });

  it('leads to a first message, and to receiving one over a socket', () => {
    expect(firstMessage.code, firstMessage.out).toBe(0);
    expect(firstMessage.out).toContain('"content":"hello"');
    expect(firstMessage.out).toMatch(/acknowledged: position \d+, sequence \d+/);
    expect(firstMessage.out).toMatch(/ada: hello, socket \(s \d+\)/);
  });

  it('leads to the example of docs/client.md, which runs as it says', async () => {
    const page = readFileSync('docs/client.md', 'utf8');
    const [code] = blocks('# The client', 'ts', page);
    writeFileSync(join(folder.path, 'data/hello.ts'), code!);
    const shell = spawn('bash', ['-eu', '-c', blocks('# The client', 'sh', page).join('\n')], {
      cwd: folder.path,
      env: { ...process.env, PARLEY: server.url, CHANNEL: environment.CHANNEL },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { said } = speaking(shell);
    expect(await once(shell, 'close'), said()).toEqual([0, null]);
    expect(said()).toMatch(/acknowledged: position \d+, sequence \d+/);
  });

  it('has a bot of about twenty lines that answers, also after a refused call, and leaves system messages alone', async () => {
    const [code] = blocks('First message', 'js');
    expect(code!.trim().split('\n').length).toBeLessThanOrEqual(22);
    writeFileSync(join(folder.path, 'parrot.mjs'), code!);
    const bot = spawn(process.execPath, ['parrot.mjs'], {
      cwd: folder.path,
      env: { ...process.env, PARLEY: server.url, BOT_TOKEN: environment.BOT_TOKEN },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { until } = speaking(bot);
    try {
      await until('parrot is ready');
      const token = environment.TOKEN!;
      const ada = new Api(server.url, { id: '', username: 'ada', token, authorization: `Bearer ${token}` });
      const quiet = await ada.ask<{ id: string }>('POST', `/guilds/${environment.GUILD}/channels`, {
        name: 'quiet',
        permission_overwrites: [{ id: environment.GUILD, type: 0, allow: '0', deny: ADD_REACTIONS }],
      });
      await ada.send(quiet.id, 'no parrots here');
      await until('Missing Permissions');
      const [former] = await ada.history(environment.CHANNEL!);
      await ada.ask('PUT', `/channels/${environment.CHANNEL}/messages/pins/${former!.id}`);
      const { id } = await ada.send(environment.CHANNEL!, 'pieces of eight');
      await expect
        .poll(
          async () => (await ada.history(environment.CHANNEL!, `?after=${id}`)).map((reply: Message) => reply.content),
          {
            timeout: 10_000,
          },
        )
        .toEqual(['ada said: pieces of eight']);
    } finally {
      bot.kill('SIGKILL');
    }
  });
});
