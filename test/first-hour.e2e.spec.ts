/** What an operator meets in the first hour, from the first start to the first bot. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import { Api, PASSWORD } from './support/api.ts';
import { environmentWith } from './support/parley.ts';
import { type Server, startServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { Watched } from './support/watched.ts';

const WITHIN = 60_000;

/** A child process, its output and how it ends. */
const started = (program: string, args: readonly string[], env: Readonly<Record<string, string>>, input = '') => {
  const child: ChildProcess = spawn(program, [...args], { env: environmentWith(env), stdio: 'pipe' });
  const watched = new Watched();
  let said = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      watched.changed();
    });
  child.stdin!.end(input);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  return {
    child,
    ended,
    until: (part: string) =>
      watched.until(
        () => said.includes(part),
        () => said,
        WITHIN,
      ),
    said: () => said,
  };
};

const parley = (args: readonly string[], data: string, input = '') =>
  started(process.execPath, ['dist/parley.js', ...args], { PARLEY_DATA: data, PARLEY_LOG_LEVEL: 'warn' }, input).ended;

const folders = [temporaryFolder(), temporaryFolder(), temporaryFolder()] as const;
afterAll(() => {
  for (const folder of folders) folder.remove();
});

describe('npm start', () => {
  it(
    'is stopped by a signal to its process, as supervisors send it',
    async () => {
      const env = { PARLEY_DATA: folders[0].path, PARLEY_PORT: '0' };
      // Without the build, which the other specs run.
      const start = started('npm', ['start', '--ignore-scripts'], env);
      await start.until('the socket: ');
      const [, url] = /listens on (\S+)/.exec(start.said())!;
      expect((await fetch(`${url}/health`)).status).toBe(200);
      start.child.kill('SIGTERM');
      await start.ended;
      expect(start.said()).toContain('"msg":"stopping"');
      await expect(fetch(`${url}/health`)).rejects.toThrow();
    },
    WITHIN,
  );
});

describe('a server with closed registration', () => {
  let server: Server;
  afterAll(() => server?.kill());

  it(
    'lets the first person in by the link that it prints, once',
    async () => {
      const env = { PARLEY_REGISTRATION: 'closed', PARLEY_LOG_LEVEL: 'info' };
      server = await startServer({ data: folders[1].path, env });
      const [, link, code] = /(http:\S+\/setup)#(\S+)/.exec(server.output())!;
      const page = await fetch(link!);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(await page.text()).toContain('setup_code: location.hash.slice(1)');
      const register = (username: string, setup_code?: string) =>
        new Api(server.url).request<{ token: string }>('POST', '/auth/register', {
          username,
          password: PASSWORD,
          setup_code,
        });
      expect((await register('nobody')).status).toBe(403);
      expect((await register('nobody', `${code}x`)).status).toBe(403);
      const answers = await Promise.all([register('ada', code), register('ben', code)]);
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect((await register('cleo', code)).status).toBe(403);
      const { token } = answers.find(({ status }) => status === 201)!.body;
      const streams = await fetch(`${server.url}/v1/streams`, { headers: { authorization: `Bearer ${token}` } });
      expect(streams.status).toBe(200);
      await streams.text();

      const wrong = await new Api(server.url).request('POST', '/login', { username: 'ada', password: 'not this one' });
      expect(wrong.status).toBe(400);
      const told = (msg: string) =>
        server
          .output()
          .split('\n')
          .filter((line) => line.startsWith('{') && line.endsWith('}'))
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .filter((line) => line.msg === msg);
      await expect.poll(() => told('failed login')).toMatchObject([{ level: 'info', address: '127.0.0.1' }]);
      expect(told('registered')).toMatchObject([{ level: 'info', address: '127.0.0.1', user: expect.any(String) }]);
      expect(told('request')).toContainEqual(
        expect.objectContaining({ level: 'info', method: 'POST', route: '/v1/auth/register', status: 201 }),
      );
      expect(told('request').map(({ route }) => route)).not.toContain('/ready');
    },
    WITHIN,
  );

  it(
    'prints no link once somebody administers it',
    async () => {
      await server.stop();
      server = await startServer({ data: folders[1].path, env: { PARLEY_REGISTRATION: 'closed' } });
      expect(server.output()).not.toContain('/setup');
    },
    WITHIN,
  );
});

describe('parley', () => {
  it(
    'makes the first person in an empty folder, and no second one',
    async () => {
      const data = folders[2].path;
      const short = await parley(['admin', 'create', '--username', 'ada'], data, 'short\n');
      expect(short).toMatchObject({ code: 64, said: expect.stringContaining('password: Must be between 8 and 256') });
      const made = await parley(['admin', 'create', '--username', 'ada'], data, `${PASSWORD}\n`);
      expect(made).toMatchObject({ code: 0, said: expect.stringContaining('ada administers the server') });
      const second = await parley(['admin', 'create', '--username', 'ben'], data, `${PASSWORD}\n`);
      expect(second).toMatchObject({ code: 1, said: expect.stringContaining('somebody administers the server') });
      const server = await startServer({ data });
      const signedIn = await new Api(server.url).request<{ token: string }>('POST', '/login', {
        username: 'ada',
        password: PASSWORD,
      });
      expect(signedIn.status).toBe(200);
      const ben = started(process.execPath, ['dist/parley.js', 'bot', 'create', '--name', 'x', '--url', server.url], {
        PARLEY_TOKEN: `Bearer ${signedIn.body.token}`,
      });
      expect(await ben.ended).toMatchObject({
        code: 1,
        said: expect.stringContaining('name: Must be between 2 and 32'),
      });
      await server.stop();
      const bot = await parley(['bot', 'create', '--name', 'x'], data);
      expect(bot).toMatchObject({ code: 1, said: expect.stringContaining('name: Must be between 2 and 32') });
    },
    WITHIN,
  );

  it(
    'refuses to read a folder that holds no log, and tells its version',
    async () => {
      const nowhere = await parley(['replay'], `${folders[2].path}-other`);
      expect(nowhere).toMatchObject({ code: 1, said: expect.stringContaining('Check PARLEY_DATA') });
      expect(await parley(['--version'], '')).toMatchObject({
        code: 0,
        said: expect.stringMatching(/^parley \d+\.\d+\.\d+\n$/),
      });
    },
    WITHIN,
  );
});
