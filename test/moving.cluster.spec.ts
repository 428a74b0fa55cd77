/** Moves the log and the vault of an embedded server into a cluster, where people carry on. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROLES } from '../schemas/settings.ts';
import { type Account, Api, type Message, PASSWORD, someName, wholeHistory } from './support/api.ts';
import { type Cluster, startCluster } from './support/cluster.ts';
import { GatewayClient, type Session } from './support/gateway-client.ts';
import { createNamespace, type Namespace } from './support/namespace.ts';
import { parley } from './support/parley.ts';
import { LIMITS_OFF, startServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const logs = resolve('../shared/data/irc');
/** More days would take longer and show nothing more. */
const DAYS = 8;
const files = existsSync(logs)
  ? readdirSync(logs)
      .filter((name) => name.endsWith('.raw.txt'))
      .slice(0, DAYS)
      .map((name) => join(logs, name))
  : [resolve('app/import/fixtures/2004-12-25.excerpt.txt')];

describe('an embedded server moved into a cluster', () => {
  const data = temporaryFolder();
  const archive = temporaryFolder();
  const again = temporaryFolder();
  let namespace: Namespace;
  let cluster: Cluster<'all'>;
  let account: Account;
  let channelId: string;
  let before: readonly Message[];
  let session: Session;
  let owner: Api;

  /** The imported channel, as a person reads it. */
  const ubuntu = async (person: Api) => {
    const [guild] = await person.ask<{ id: string }[]>('GET', '/users/@me/guilds');
    const channels = await person.ask<{ id: string; name: string }[]>('GET', `/guilds/${guild!.id}/channels`);
    return channels.find(({ name }) => name === 'ubuntu')!.id;
  };

  beforeAll(async () => {
    const embedded = { PARLEY_DATA: data.path };
    const first = await startServer({ data: data.path });
    account = await new Api(first.url).register(someName('owner'));
    await first.stop();
    await parley(['import', 'irc', ...files, '--guild', 'Ubuntu', '--channel', 'ubuntu'], embedded);
    const second = await startServer({ data: data.path, env: LIMITS_OFF });
    const person = new Api(second.url, account);
    channelId = await ubuntu(person);
    before = await wholeHistory(person, channelId);
    const client = await GatewayClient.identified(second.url, account.token);
    await client.until(() => client.seq > 0, 'the position of the snapshot');
    session = client.session();
    client.socket.terminate();
    await second.stop();

    await parley(['log', 'export', archive.path], embedded);
    namespace = await createNamespace();
    await parley(['log', 'import', archive.path], namespace.env);
    cluster = await startCluster({ processes: { all: ROLES.join(',') }, namespace });
    owner = new Api(cluster.url('all'), account);
  });

  afterAll(async () => {
    await cluster?.close();
    await namespace?.drop();
    for (const folder of [data, archive, again]) folder.remove();
  });

  it('keeps every stream, by its checksum', async () => {
    await parley(['log', 'export', again.path], namespace.env);
    const sums = (folder: string) => readFileSync(join(folder, 'streams.ndjson'), 'utf8');
    expect(sums(again.path)).toBe(sums(archive.path));
  });

  it('shows people the whole history, word for word', async () => {
    expect(await ubuntu(owner)).toBe(channelId);
    // Refused with 503 while more is missing from the timelines than a reader takes from the log.
    await vi.waitFor(() => owner.history(channelId, '?limit=1'), { timeout: 120_000, interval: 500 });
    const after = await wholeHistory(owner, channelId);
    expect(after).toHaveLength(before.length);
    expect(after.findIndex((message, index) => JSON.stringify(message) !== JSON.stringify(before[index]))).toBe(-1);
  });

  it('accepts their passwords and tokens', async () => {
    const login = await new Api(owner.base).request('POST', '/login', {
      username: account.username,
      password: PASSWORD,
    });
    expect(login.status).toBe(200);
    expect(await owner.ask('GET', '/users/@me')).toMatchObject({ id: account.id, username: account.username });
  });

  it('continues where the log ended', async () => {
    const { ordinal, id } = await owner.send(channelId, 'we have moved');
    expect(ordinal).toBe(before.length + 1);
    expect(BigInt(id)).toBeGreaterThan(BigInt(before.at(-1)!.id));
    expect((await owner.history(channelId, '?limit=1'))[0]!.content).toBe('we have moved');
  });

  it('resumes no session of the former log', async () => {
    const client = await GatewayClient.connect(owner.base);
    client.resume(account.token, session);
    await client.until((frames) => frames.some(({ op }) => op === 9), 'op 9');
    expect(client.dispatches('RESUMED')).toEqual([]);
    client.socket.terminate();
  });
});
