/** For specs: a keyspace of the spec's own on the shared server, and a connection that can be cut. */

import { randomBytes } from 'node:crypto';
import { systemClock } from '../../../../schemas/clock.ts';
import type { ParleyEvent } from '../../../../schemas/events/catalogue.ts';
import { ports, urls } from '../../../../services/endpoints.ts';
import { type Cassandra, openCassandra } from '../../../../stores/cassandra/connection.ts';
import { startProxy } from '../../../../stores/testing.ts';
import { type TimelineReader, type TimelineWriter, timelineChanges } from '../view.ts';
import { CassandraTimelineReader } from './reader.ts';
import { CassandraPartitionStore, PartitionCheckpoints } from './store.ts';
import { createGeneration, dropGeneration, tablesOf } from './tables.ts';
import { CassandraTimelineWriter } from './writer.ts';

export const randomKeyspace = (): string => `test_${randomBytes(8).toString('hex')}`;

export const dropKeyspace = (client: Cassandra): Promise<void> =>
  client.define(`DROP KEYSPACE IF EXISTS ${client.keyspace}`, async () => {
    const query = 'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?';
    return (await client.execute(query, [client.keyspace])).length === 0;
  });

export const truncate = (client: Cassandra, table: string): Promise<void> =>
  client.define(
    `TRUNCATE ${table}`,
    async () => (await client.execute(`SELECT * FROM ${table} LIMIT 1`, [])).length === 0,
  );

export interface TestCassandra {
  readonly client: Cassandra;
  /** Creates a generation's tables. */
  generation(): Promise<number>;
  drop(): Promise<void>;
}

export const testCassandra = async (): Promise<TestCassandra> => {
  const client = await openCassandra({ clock: systemClock, url: urls.cassandra, keyspace: randomKeyspace() });
  let generation = 0;
  return {
    client,
    async generation() {
      generation += 1;
      await createGeneration(client, generation);
      return generation;
    },
    async drop() {
      await dropKeyspace(client);
      await client.close();
    },
  };
};

export interface SmallTimelines {
  readonly reader: TimelineReader;
  readonly writer: TimelineWriter;
  readonly store: CassandraPartitionStore;
  readonly checkpoints: PartitionCheckpoints;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

/** A generation with small buckets, so that a short story spans several. */
export const smallTimelines = (client: Cassandra, generation: number, bucketSize: number, clock = () => 0) => {
  const tables = tablesOf(generation);
  const writer = new CassandraTimelineWriter(client, tables, bucketSize);
  const checkpoints = new PartitionCheckpoints(client, tables, 'timelines');
  return {
    reader: new CassandraTimelineReader(client, tables),
    store: new CassandraPartitionStore({ writer, checkpoints, partitions: 4, clock }),
    writer,
    checkpoints,
    apply: (events: readonly ParleyEvent[]) => writer.apply(timelineChanges(events)),
    close: () => dropGeneration(client, generation),
  } satisfies SmallTimelines;
};

/** Another port of the same server. */
export const proxied = async () => {
  const proxy = await startProxy(ports.cassandra);
  return { ...proxy, url: `cassandra://127.0.0.1:${proxy.port}` };
};
