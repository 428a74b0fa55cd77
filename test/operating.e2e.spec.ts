/** What an operator does to a server in use: stop, start and rebuild it. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, PASSWORD, someName } from './support/api.ts';
import { GatewayClient, type Session } from './support/gateway-client.ts';
import { type EmbeddedInstance, startInstance } from './support/instance.ts';
import { parley } from './support/parley.ts';
import { LIMITS_OFF } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const run = promisify(execFile);

let instance: EmbeddedInstance;
let owner: Api;
let channelId = '';

beforeAll(async () => {
  instance = await startInstance({ ...LIMITS_OFF, PARLEY_DRAIN_MS: '500' });
  owner = instance.api.as(await instance.api.register(someName('owner')));
  channelId = (await owner.createGuild('Operating')).channel.id;
  for (let i = 1; i <= 5; i += 1) await owner.send(channelId, `before ${i}`);
});
afterAll(() => instance.close());

describe('a server that is told to stop', () => {
  it('disconnects its clients so that they resume, and exits with 0', async () => {
    const client = await GatewayClient.identified(instance.url, owner.account!.token);
    const stopped = instance.server().stop();
    expect(await client.closed()).toBe(1012);
    expect(client.frames.at(-1)).toMatchObject({ op: 7 });
    expect(await stopped).toBe(0);
    await instance.start();
    await owner.send(channelId, 'while away');
    const resumed = await GatewayClient.resumed(instance.url, owner.account!.token, client.session());
    expect(resumed.dispatches('MESSAGE_CREATE').map(({ d }) => d.content)).toEqual(['while away']);
    expect(resumed.dispatches('READY')).toEqual([]);
    resumed.socket.terminate();
  });
});

describe('missing views', () => {
  const rebuilt = async (spoil: (file: string) => void): Promise<string> => {
    const before = await owner.history(channelId);
    const states = await owner.ask('GET', '/users/@me/read-states');
    await instance.server().stop();
    spoil(join(instance.data, 'views.db'));
    const server = await instance.start();
    expect(await owner.history(channelId)).toEqual(before);
    expect(await owner.ask('GET', '/users/@me/read-states')).toEqual(states);
    return server.output();
  };

  it('are rebuilt at the start, which reports its progress', async () => {
    expect(await rebuilt((file) => rmSync(file))).toMatch(/rebuilding views\.db \(there is none\): \d+ of \d+ events/);
  });
});

describe('a backup', () => {
  const backup = temporaryFolder();
  afterAll(() => backup.remove());
  const account = () => owner.account!;
  const refuseResume = async (session: Session) => {
    const again = await GatewayClient.connect(instance.url);
    again.resume(account().token, session);
    await again.until((frames) => frames.some((frame) => frame.op === 9), 'op 9');
    expect(again.frames.find((frame) => frame.op === 9)).toMatchObject({ d: false });
    again.socket.terminate();
  };
  const sessionNow = async () => {
    const client = await GatewayClient.identified(instance.url, account().token);
    client.socket.terminate();
    return client.session();
  };
  const contents = async () => (await owner.history(channelId)).map(({ content }) => content);

  it('of the files that docs/operating.md names is put back by `parley restore`', async () => {
    const named = /<!-- files of a backup -->\s*((?:`[^`]+`[, and]*)+)/.exec(readFileSync('docs/operating.md', 'utf8'));
    const files = [...named![1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    expect(files).toContain('signing.key');
    await owner.send(channelId, 'in the backup');
    await instance.server().stop();
    for (const name of files)
      if (existsSync(join(instance.data, name))) cpSync(join(instance.data, name), join(backup.path, name));
    await instance.start();
    await owner.send(channelId, 'after the backup');
    const session = await sessionNow();
    await instance.server().stop();

    const put = () => parley(['restore', backup.path], { PARLEY_DATA: instance.data });
    await expect(put()).rejects.toThrow(/holds .*log\.db.*: move this folder away first/);
    for (const name of readdirSync(instance.data)) rmSync(join(instance.data, name));
    expect(await put()).toMatch(/holds \d+ events from .*\.\nThe log has a new epoch/);
    await instance.start();
    await refuseResume(session);
    expect((await contents()).slice(0, 1)).toEqual(['in the backup']);
    // The token is still good, and texts can be read.
    await owner.send(channelId, 'after the restore');
  });
});

describe('what a server writes', () => {
  it('contains no message text, name, password or token, in files or in log lines', async () => {
    await owner.send(channelId, 'a-sentence-nobody-shall-find');
    const account = owner.account!;
    await instance.server().stop();
    for (const name of ['log.db', 'log.db-wal', 'views.db', 'views.db-wal']) {
      const file = join(instance.data, name);
      if (!existsSync(file)) continue;
      const bytes = readFileSync(file);
      for (const secret of ['a-sentence-nobody-shall-find', account.username, account.token])
        expect(`${name} ${bytes.includes(secret)}`).toBe(`${name} false`);
    }
    expect(instance.server().output()).not.toContain('a-sentence-nobody-shall-find');
    expect(instance.server().output()).not.toContain(account.token);
  });
});

describe('the command line', () => {
  const cli = (...args: string[]) =>
    run(process.execPath, ['dist/parley.js', ...args], { env: { ...process.env, PARLEY_DATA: instance.data } });

  const atServer = () => ['--url', instance.url, '--token', owner.account!.authorization];

  it('makes a bot in the folder of a stopped server', async () => {
    const { stdout } = await cli('bot', 'create', '--name', 'helper');
    const token = /^token (\S+)$/m.exec(stdout)![1]!;
    await instance.start();
    const me = await instance.api.as({ ...owner.account!, authorization: `Bot ${token}` }).ask('GET', '/users/@me');
    expect(me).toMatchObject({ username: 'helper', bot: true });
  });

  it('makes a bot on a running server, and shows its token also where no guild lets it in', async () => {
    const shown = expect.stringMatching(/^token \S+$/m);
    const made = (...args: string[]) => cli('bot', 'create', '--name', 'other', ...args, ...atServer());
    await Promise.all([
      expect(made()).resolves.toMatchObject({ stdout: shown }),
      expect(made('--guild', '1')).rejects.toMatchObject({
        ...{ code: 1, stdout: shown, stderr: expect.stringContaining('Unknown Guild') },
      }),
    ]);
  });

  it('replays a running server and its folder alike', async () => {
    const stream = ['replay', '--stream', `channel-${channelId}`];
    const online = await cli(...stream, ...atServer());
    const lines = online.stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(5);
    const third = JSON.parse(lines[2]!) as { time: string };
    const until = [...stream, '--until', third.time];
    const onlineUntil = await cli(...until, ...atServer());
    const before = lines.filter((line) => (JSON.parse(line) as { time: string }).time <= third.time);
    expect(onlineUntil.stdout.trimEnd().split('\n')).toEqual(before);
    await instance.server().stop();
    expect(await cli(...stream)).toEqual(online);
    const unknown = cli('replay', '--stream', 'channel-1');
    await expect(unknown).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/no stream channel-1/) });
    expect(await cli(...until)).toEqual(onlineUntil);
    await instance.start();
  });

  it('follows no longer than its token counts', async () => {
    const { username } = owner.account!;
    const { token } = await owner.ask<{ token: string }>('POST', '/login', { username, password: PASSWORD });
    const args = ['dist/parley.js', 'replay', '--follow', '--url', instance.url, '--token', token];
    const following = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said: Buffer[] = [];
    following.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    const exited = once(following, 'exit');
    await once(following.stdout, 'data');
    following.stdout.resume();
    await owner.as({ ...owner.account!, authorization: `Bearer ${token}` }).ask('POST', '/auth/logout');
    expect(await exited).toEqual([1, null]);
    expect(Buffer.concat(said).toString()).toContain('the token no longer allows following the log');
  });

  it('follows what happens on a running server until it is stopped', async () => {
    const args = ['dist/parley.js', 'replay', '--follow', '--types', 'message-posted', ...atServer()];
    const following = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const lines = createInterface(following.stdout)[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value!) as { data: { text: { content: string } | null } };
    while ((await next()).data.text?.content !== 'before 5') {}
    await owner.send(channelId, 'followed');
    while ((await next()).data.text?.content !== 'followed') {}
    const [[code]] = await Promise.all([once(following, 'exit'), instance.server().stop()]);
    expect(code).toBe(1);
  });

  it('says what is wrong with an option, and what would be right, and exits with 64', async () => {
    const wrong = (says: RegExp, ...args: string[]) =>
      expect(cli(...args)).rejects.toMatchObject({ code: 64, stderr: expect.stringMatching(says) });
    await Promise.all([
      wrong(/message-posted/, 'replay', '--types', 'message-sent'),
      wrong(/whole number/, 'replay', '--from', 'x'),
      wrong(/--stream: given "nonsense"\. Streams are named channel-<id>,/, 'replay', '--stream', 'nonsense'),
      wrong(/--prefix: given "nonsense"\. Streams are named channel-<id>,/, 'replay', '--prefix', 'nonsense'),
      wrong(/needs --token/, 'replay', '--url', 'http://127.0.0.1:1'),
      wrong(/unknown option/, 'serve', '--port', '1'),
      wrong(/nothing to look for: --log reads the whole event log/, 'doctor'),
      wrong(/unknown command 'export'\n\(Did you mean parley log export\?\)/, 'export'),
      wrong(/--roles is for a cluster/, 'serve', '--roles', 'gateway'),
    ]);
  });

  it('does nothing to a folder while the profile is that of a cluster', async () => {
    const servers = ['LOG', 'VAULT', 'VIEWS'].map((name) => [`PARLEY_${name}_URL`, 'postgres://nobody/none']);
    const env = {
      ...Object.fromEntries(servers),
      ...{ PARLEY_PROFILE: 'cluster', PARLEY_REDIS_URL: 'redis://nobody', PARLEY_KAFKA_URL: 'kafka://nobody' },
      ...{ PARLEY_CASSANDRA_URL: 'cassandra://nobody', PARLEY_DATA: instance.data },
    };
    await expect(parley(['replay'], env)).rejects.toThrow('works on a data folder, and PARLEY_PROFILE is cluster');
  });

  it('says which variable to change when the server cannot listen, and exits with 1', async () => {
    const { port } = await instance.start();
    const env = { PARLEY_DATA: `${instance.data}.other`, PARLEY_PORT: String(port) };
    const failed = await run(process.execPath, ['dist/parley.js', 'serve'], { env: { ...process.env, ...env } }).catch(
      (failure: unknown) => failure,
    );
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/PARLEY_PORT: another program.* listens on/),
    });
  });

  it('names by their content the files that a running server starts, so that it never meets those of another build', () => {
    const [main] = /parley-\w{8}\.cjs/.exec(readFileSync('dist/parley.js', 'utf8'))!;
    const started = readFileSync(join('dist', main), 'latin1').match(
      /"(?:rendering-worker|socket-process)[^"/]*\.js"/g,
    );
    expect(started).toHaveLength(2);
    for (const name of started!) {
      expect(name).toMatch(/-\w{8}\.js"$/);
      expect(existsSync(join('dist', JSON.parse(name)))).toBe(true);
    }
  });

  it('prints its version', async () => {
    expect((await cli('--version')).stdout).toMatch(/^parley \d+\.\d+\.\d+\n$/);
  });
});
