/** A server whose disk is full: a small file system of its own, which only root can mount. */

import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api, someName } from './support/api.ts';
import { LIMITS_OFF, type Server, startServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const disk = temporaryFolder();
const mounted =
  process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk.path]).status === 0;
if (!mounted)
  process.stderr.write('test/full-disk.e2e.spec.ts is skipped: this user cannot mount a small file system\n');
afterAll(() => {
  if (mounted) spawnSync('umount', ['--lazy', disk.path]);
  disk.remove();
});

/** Needs a page of its own: a short message may fit into what earlier ones have left of theirs. */
const LONG = 'x'.repeat(1_900);

const ballast = join(disk.path, 'ballast');
/** Takes all the space there is. */
const fill = (): void => {
  const file = openSync(ballast, 'a');
  try {
    for (;;) writeSync(file, Buffer.alloc(1024));
  } catch {
    closeSync(file);
  }
};

describe.runIf(mounted)('a server on a full disk', () => {
  let server: Server;
  let owner: Api;
  let channelId = '';
  const start = async () => {
    server = await startServer({ data: join(disk.path, 'data'), env: { ...LIMITS_OFF, PARLEY_DRAIN_MS: '0' } });
    if (owner !== undefined) owner = new Api(server.url, owner.account!);
  };
  const say = (content: string) =>
    fetch(`${server.url}/v1/channels/${channelId}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: owner.account!.authorization },
      body: JSON.stringify({ content }),
    });
  const contents = async () => (await owner.history(channelId)).map(({ content }) => content);
  const refused = async (answer: Promise<Response>) => {
    const { status, headers } = await answer;
    expect([status, Number(headers.get('retry-after'))]).toEqual([503, expect.any(Number)]);
  };
  const degraded = async () => {
    const { ready, degraded } = (await (await fetch(`${server.url}/ready`)).json()) as {
      readonly ready: boolean;
      readonly degraded: readonly string[];
    };
    expect(ready).toBe(true);
    return degraded;
  };
  /** A journal that begins anew has room for some more, as after a start. @returns how many were stored */
  const sayUntilFull = async (): Promise<number> => {
    for (let said = 0; ; said += 1) {
      fill();
      if ((await say(LONG)).status === 503) return said;
    }
  };

  beforeAll(async () => {
    await start();
    const anybody = new Api(server.url);
    owner = anybody.as(await anybody.register(someName('owner')));
    channelId = (await owner.createGuild('Full')).channel.id;
    await owner.send(channelId, 'before');
  });
  afterAll(async () => {
    if (server?.alive()) await server.kill();
  });

  it('refuses what cannot be stored with 503 and reads on, starts again after any end, and goes on once there is room', async () => {
    let stored = 1 + (await sayUntilFull());
    await refused(say(LONG));
    expect(await degraded()).toEqual([expect.stringContaining('the disk is full')]);
    expect(await contents()).toHaveLength(stored);

    for (const end of [() => server.kill(), () => server.stop()]) {
      await end();
      fill();
      await start();
      expect(await contents()).toContain('before');
      // What the log still takes, the views may have to wait with.
      stored += await sayUntilFull();
      await refused(say(LONG));
      expect(await contents()).toContain('before');
    }

    rmSync(ballast);
    const answered = async () => (await say('there is room')).status;
    await expect.poll(answered, { interval: 50, timeout: 20_000 }).not.toBe(503);
    expect((await contents())[0]).toBe('there is room');
    expect(await degraded()).toEqual([]);
    expect(server.output()).toMatch(/log\.db cannot be written to: .*full/);
    // Its log lines may come later than its answers.
    await expect.poll(() => server.output(), { timeout: 10_000 }).toContain('log.db can be written to again');
    expect(await server.stop()).toBe(0);
    await start();
    expect(await contents()).toHaveLength(stored + 1);
  });
});
