/** Runs `parley projections` as an operator does, on a cluster in use. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES } from '../schemas/settings.ts';
import { Api, someName } from './support/api.ts';
import { type Cluster, startCluster } from './support/cluster.ts';
import { environmentWith } from './support/parley.ts';

const run = promisify(execFile);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the views of a cluster', () => {
  let cluster: Cluster<'all'>;
  let owner: Api;
  let channelId = '';
  let said = 0;

  const projections = (...args: string[]): Promise<Outcome> =>
    run(process.execPath, ['dist/parley.js', 'projections', ...args], {
      env: environmentWith(cluster.namespace.env),
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (failed: Outcome) => failed,
    );
  const rows = (stdout: string) =>
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
  const onViews = async (text: string, values: unknown[]): Promise<void> => {
    const client = new Client({ connectionString: cluster.namespace.env.PARLEY_VIEWS_URL });
    await client.connect();
    await client.query(text, values).finally(() => client.end());
  };
  const say = async () => {
    said += 1;
    return owner.send(channelId, `message ${said}`);
  };

  beforeAll(async () => {
    cluster = await startCluster({ processes: { all: ROLES.join(',') } });
    const anybody = new Api(cluster.url('all'));
    owner = anybody.as(await anybody.register(someName('owner')));
    channelId = (await owner.createGuild('Operated')).channel.id;
    for (let i = 0; i < 20; i += 1) await say();
  });
  afterAll(() => cluster?.close());

  it('parse each record once, though four groups of the process read it', async () => {
    const read = async (how: string) => {
      const told = await (await fetch(`${cluster.url('all')}/metrics`)).text();
      return Number(new RegExp(`parley_distribution_records_read_total\\{how="${how}"\\} (\\d+)`).exec(told)?.[1] ?? 0);
    };
    // Idle ticks come in meanwhile, and some group is always the last to read them.
    const shares = async () => (await read('shared')) / (await read('parsed'));
    await expect.poll(shares, { interval: 50, timeout: 5000 }).toBeGreaterThan(2.5);
  });

  it('report their status', async () => {
    const { code, stdout, stderr } = await projections('status');
    expect([code, stderr]).toEqual([0, '']);
    const [names, ...views] = rows(stdout);
    expect(names!.slice(0, 5)).toEqual(['view', 'generation', 'position', 'events behind', 'dead letters']);
    expect(views.map(([view]) => view)).toEqual(['guild-views', 'timelines', 'unread']);
  });

  it('are rebuilt while people go on, and nothing disappears meanwhile', async () => {
    let rebuilding = true;
    const talk = async () => {
      while (rebuilding) {
        const { id } = await say();
        const [newest] = await owner.history(channelId, '?limit=1');
        expect(newest!.id).toBe(id);
        expect(await owner.ask('GET', '/users/@me/guilds')).toHaveLength(1);
        const [state] = await owner.ask<{ channel_id: string; unread: number }[]>('GET', '/users/@me/read-states');
        expect(state).toMatchObject({ channel_id: channelId });
      }
    };
    const talked = talk();
    const outcome = await projections('rebuild', 'all').finally(() => {
      rebuilding = false;
    });
    await talked;
    expect(outcome).toMatchObject({ code: 0 });
    for (const view of ['guild-views', 'timelines', 'unread'])
      expect(outcome.stdout).toMatch(
        new RegExp(`${view}: generation 1, which was read, compared with 2: \\d+ compared, 0 diff`),
      );
    expect(await owner.history(channelId, '?limit=100')).toHaveLength(Math.min(said, 100));
    const [, ...views] = rows((await projections('status')).stdout);
    expect(views.map(([, generation]) => generation?.trim())).toEqual(['2', '2', '2']);
  });

  it('report what differs', async () => {
    await onViews('UPDATE views_g2.channels SET name = $1 WHERE id = $2', ['spoiled', channelId]);
    const outcome = await projections('verify', 'guild-views');
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toMatch(/1 difference\n {2}table channels: read/);
    expect(outcome.stderr).toContain('`parley projections rebuild` mends it');
  });

  it('list dead letters, and apply them on a retry', async () => {
    await onViews(
      `INSERT INTO parley_dead_letters.letters (projection, stream, sequence, position, error, attempts, time)
       VALUES ('timelines-g2', $1, 3, 9, 'was broken then', 4, 0)`,
      [`channel-${channelId}`],
    );
    const listed = await projections('dead-letters');
    expect(rows(listed.stdout)[1]).toEqual(
      expect.arrayContaining([`timelines-g2/channel-${channelId}`, 'was broken then', '1970-01-01T00:00:00.000Z']),
    );
    const other = await projections('dead-letters', 'retry', 'timelines');
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('no dead letter')]);
    const retried = await projections('dead-letters', 'retry', `timelines-g2/channel-${channelId}`);
    expect(retried).toMatchObject({ code: 0, stdout: '1 letter to be tried again\n0 dead letters left.\n' });
  });
});
