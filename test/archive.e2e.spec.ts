/** Runs `parley log export` and `parley log import` on data folders, as an operator does. */

import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, Api, someName } from './support/api.ts';
import { LIMITS_OFF, type Server, startServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const run = promisify(execFile);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const log = (command: 'export' | 'import', folder: string, data: string): Promise<Outcome> =>
  run(process.execPath, ['dist/parley.js', 'log', command, folder], {
    env: { ...process.env, PARLEY_DATA: data },
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (failed: Outcome) => failed,
  );

describe('a data folder moved through an archive', () => {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  let server: Server;
  let account: Account;
  let channelId = '';
  let exported: Outcome;

  beforeAll(async () => {
    server = await startServer({ data: at('source'), env: LIMITS_OFF });
    const anybody = new Api(server.url);
    account = await anybody.register(someName('owner'));
    const owner = anybody.as(account);
    channelId = (await owner.createGuild('Moving')).channel.id;
    for (const said of ['one', 'two', 'three']) await owner.send(channelId, said);
  });
  afterAll(async () => {
    if (server.alive()) await server.kill();
    folder.remove();
  });

  const refused = async (outcome: Promise<Outcome>, reason: string) => {
    const { code, stdout, stderr } = await outcome;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^(.*: \d+ of \d+ [a-z]+\n)*parley: .*\n$/);
    expect(stderr).toContain(reason);
  };

  it('is refused while a server runs on the folder', async () => {
    await refused(log('export', at('archive'), at('source')), 'in use by process');
  });

  it('serves the same people from another folder', async () => {
    await server.stop();
    exported = await log('export', at('archive'), at('source'));
    expect(exported).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+ events of \d+ streams and the vault/),
    });
    const imported = await log('import', at('archive'), at('target'));
    expect(imported).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('each with the checksum of the archive'),
    });
    server = await startServer({ data: at('target'), env: LIMITS_OFF });
    await refused(log('import', at('archive'), at('target')), 'in use by process');
    const owner = new Api(server.url, account);
    expect((await owner.history(channelId)).map(({ content }) => content)).toEqual(['three', 'two', 'one']);
    expect((await owner.send(channelId, 'four')).ordinal).toBe(4);
    await server.stop();
  });

  it('is not imported into a folder that people have used since', async () => {
    await refused(log('import', at('archive'), at('target')), 'already holds other events in channel-');
  });

  it('is not exported over another archive, or from an empty folder', async () => {
    await refused(log('export', at('archive'), at('source')), 'holds an archive already');
    await refused(log('export', at('other'), at('nowhere')), 'There is no log at');
    expect(existsSync(at('nowhere'))).toBe(false);
  });

  it('is not imported when the archive is missing, damaged or incomplete, and no folder is made for it', async () => {
    await refused(log('import', at('nowhere'), at('fresh')), 'there is no folder');
    appendFileSync(join(at('archive'), 'vault.ndjson'), '{}\n');
    await refused(log('import', at('archive'), at('fresh')), 'the archive is at fault, and nothing was imported');
    rmSync(join(at('archive'), 'archive.json'));
    await refused(log('import', at('archive'), at('fresh')), 'no whole archive');
    writeFileSync(join(at('archive'), 'archive.json'), '{"format":9}');
    await refused(log('import', at('archive'), at('fresh')), 'format 9');
    expect(existsSync(at('fresh'))).toBe(false);
  });
});
