/** The cluster profile with KurrentDB as its log, on the stand-in, because no real server can be started here. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { StandIn } from '../log/kurrentdb/stand-in/testing.ts';
import { Api, someName } from './support/api.ts';
import { type Cluster, startCluster } from './support/cluster.ts';
import { LIMITS_OFF } from './support/server.ts';
import { Subscriber } from './support/subscriber.ts';
import { Watched } from './support/watched.ts';

let server: StandIn;
let cluster: Cluster<'node'>;

beforeAll(async () => {
  server = await new StandIn().start();
  cluster = await startCluster({
    processes: { node: 'gateway,api,relay,projector' },
    env: { ...LIMITS_OFF, PARLEY_LOG: 'kurrentdb', PARLEY_LOG_URL: server.url },
  });
});
afterAll(async () => {
  await cluster.close();
  await server.stop();
});

it('a cluster on KurrentDB carries messages from socket to history, and listeners survive a killed node', async () => {
  const api = new Api(cluster.url('node'));
  const account = await api.register(someName('ada'));
  const owner = api.as(account);
  const { channel } = await owner.createGuild('On KurrentDB');
  const changed = new Watched();
  const subscriber = new Subscriber(cluster.url('node'), account, () => changed.changed());
  await subscriber.start();

  const said: string[] = [];
  const say = async (count: number) => {
    for (let n = 0; n < count; n += 1) said.push((await owner.send(channel.id, `word ${said.length}`)).id);
    await changed.until(() => subscriber.messages.length === said.length, 'every message', 30_000);
  };
  await say(20);
  await cluster.kill('node');
  await cluster.start('node');
  await say(20);
  subscriber.stop();

  expect(subscriber.messages.map(({ id }) => id)).toEqual(said);
  expect(subscriber.invalidSessions).toBe(0);
  const history = await owner.history(channel.id, '?limit=100');
  expect(history.map(({ id }) => id).reverse()).toEqual(said);
});
