/** What an operator does to a server in use: stop, start and rebuild it. */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, someName } from './support/api.ts';
import { GatewayClient } from './support/gateway-client.ts';
import { type EmbeddedInstance, startInstance } from './support/instance.ts';
import { LIMITS_OFF } from './support/server.ts';

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
    expect(await rebuilt((file) => rmSync(file))).toMatch(/rebuilding the views .*: \d+ of \d+ events/);
  });
});

describe('a log shorter than the vault remembers', () => {
  it('counts as another log: clients of the former one must identify again', async () => {
    const client = await GatewayClient.identified(instance.url, owner.account!.token);
    const session = client.session();
    client.socket.terminate();
    await owner.send(channelId, 'lost by the backup');
    await instance.server().stop();
    // The log of an older backup with the current vault.
    const restored = join(instance.data, 'log.db');
    const { default: Database } = await import('libsql');
    const log = new Database(restored);
    log.exec('DELETE FROM events WHERE position = (SELECT max(position) FROM events)');
    log.close();
    await instance.start();
    const again = await GatewayClient.connect(instance.url);
    again.resume(owner.account!.token, session);
    await again.until((frames) => frames.some((frame) => frame.op === 9), 'op 9');
    expect(again.frames.find((frame) => frame.op === 9)).toMatchObject({ d: false });
    again.socket.terminate();
    expect((await owner.history(channelId)).map(({ content }) => content)).not.toContain('lost by the backup');
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
  const parley = (...args: string[]) =>
    run(process.execPath, ['dist/parley.js', ...args], { env: { ...process.env, PARLEY_DATA: instance.data } });

  it('makes a bot in the folder of a stopped server', async () => {
    const { stdout } = await parley('bot', 'create', '--name', 'helper');
    const token = /^token (\S+)$/m.exec(stdout)![1]!;
    await instance.start();
    const me = await instance.api.as({ ...owner.account!, authorization: `Bot ${token}` }).ask('GET', '/users/@me');
    expect(me).toMatchObject({ username: 'helper', bot: true });
  });

  it('makes a bot on a running server', async () => {
    const { stdout } = await parley(
      ...['bot', 'create', '--name', 'other', '--url', instance.url, '--token', owner.account!.authorization],
    );
    expect(stdout).toMatch(/^token \S+$/m);
  });

  it('replays a running server and its folder alike', async () => {
    const stream = `channel-${channelId}`;
    const online = await parley(
      ...['replay', '--stream', stream, '--url', instance.url, '--token', owner.account!.authorization],
    );
    await instance.server().stop();
    const offline = await parley('replay', '--stream', stream);
    expect(online.stdout).toBe(offline.stdout);
    expect(offline.stdout.split('\n').length).toBeGreaterThan(5);
  });

  it('says what is wrong with an option, and what would be right', async () => {
    await expect(parley('replay', '--types', 'message-sent')).rejects.toThrow(/message-posted/);
    await expect(parley('replay', '--from', 'x')).rejects.toThrow(/whole number/);
    await expect(parley('replay', '--url', 'http://127.0.0.1:1')).rejects.toThrow(/needs --token/);
  });
});
