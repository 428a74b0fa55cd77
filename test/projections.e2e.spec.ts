/** Runs `parley projections` as an operator does, on a data folder. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api, someName } from './support/api.ts';
import { GatewayClient } from './support/gateway-client.ts';
import { LIMITS_OFF, type Server, startServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const run = promisify(execFile);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the views of a data folder', () => {
  const folder = temporaryFolder();
  let server: Server;
  let owner: Api;
  let channelId = '';

  const projections = (...args: string[]): Promise<Outcome> =>
    run(process.execPath, ['dist/parley.js', 'projections', ...args], {
      env: { ...process.env, PARLEY_DATA: folder.path },
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (failed: Outcome) => failed,
    );
  const start = async () => {
    server = await startServer({ data: folder.path, env: LIMITS_OFF });
    owner = new Api(server.url, owner?.account);
  };
  const tamper = (sql: string) => {
    const db = new Database(join(folder.path, 'views.db'));
    db.exec(sql);
    db.close();
  };

  beforeAll(async () => {
    await start();
    owner = owner.as(await owner.register(someName('owner')));
    channelId = (await owner.createGuild('Operated')).channel.id;
    for (const said of ['one', 'two', 'three']) await owner.send(channelId, said);
  });
  afterAll(async () => {
    if (server.alive()) await server.kill();
    folder.remove();
  });

  it('report their status while the server runs', async () => {
    const { code, stdout } = await projections('status');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^views +position +events behind +dead letters\nall +\d+ +0 +0\n$/);
    expect((await projections('dead-letters')).stdout).toBe('There are no dead letters.\n');
  });

  it('are neither verified nor rebuilt while the server runs', async () => {
    for (const command of ['verify', 'rebuild']) {
      const { code, stderr } = await projections(command, 'all');
      expect([code, stderr]).toEqual([1, expect.stringContaining('in use by process')]);
    }
  });

  it('are named by one of the known names', async () => {
    const { code, stderr } = await projections('rebuild', 'everything');
    expect([code, stderr]).toEqual([64, expect.stringContaining('guild-views, timelines, unread, all')]);
  });

  it('are verified, found to differ, and repaired, and sessions from before resume', async () => {
    const client = await GatewayClient.identified(server.url, owner.account!.token);
    client.socket.terminate();
    await server.stop();
    expect(await projections('verify', 'timelines')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^\d+ tables compared at position \d+: 0 differences\nWhat is read is what the log says\.\n$/,
      ),
    });
    tamper('DELETE FROM messages WHERE ordinal = 2');
    const differing = await projections('verify', 'all');
    expect(differing.code).toBe(1);
    expect(differing.stdout).toMatch(/1 difference\n {2}messages: read 2 rows \([0-9a-f]{16}\), built 3 rows/);
    expect(differing.stderr).toContain('`parley projections rebuild` mends it');
    const rebuilt = await projections('rebuild', 'timelines');
    expect(rebuilt).toMatchObject({ code: 0, stdout: expect.stringContaining('all of them are rebuilt') });
    expect((await projections('verify', 'all')).code).toBe(0);
    await start();
    expect((await owner.history(channelId)).map(({ content }) => content)).toEqual(['three', 'two', 'one']);
    const resumed = await GatewayClient.resumed(server.url, owner.account!.token, client.session());
    resumed.socket.terminate();
    await server.stop();
    // Six processes, one after the other.
  }, 120_000);

  it('list the events left out, and apply them on a retry', async () => {
    tamper(`INSERT INTO dead_letters VALUES ('timelines', 'channel-${channelId}', 9, 'broken', 4)`);
    expect((await projections('status')).stdout).toMatch(/all +\d+ +0 +1\n/);
    expect((await projections('dead-letters', 'list')).stdout).toContain(`timelines/channel-${channelId}`);
    expect(await projections('dead-letters', 'retry')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('tried again by rebuilding'),
    });
    expect((await projections('dead-letters')).stdout).toBe('There are no dead letters.\n');
  });
});
