/** Message timelines on Cassandra and ScyllaDB. */
import type { PartitionStore } from '../../runner/partition-store.ts';
import type { TimelineReader } from '../port.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Cassandra } from './connection.ts';
import { BUCKET_SIZE, tablesOf } from './generations.ts';
import { CassandraTimelineReader } from './reader.ts';
import { CassandraPartitionStore } from './store.ts';
import { CassandraTimelineWriter } from './writer.ts';

export type { GuardOptions } from '../../guard.ts';
export { type ChannelChecksum, checksumOf, checksums, differingMessages } from './checksums.ts';
export { Cassandra, type CassandraOptions, cassandraGuard, openCassandra } from './connection.ts';
export { createGeneration, dropGeneration, listGenerations } from './generations.ts';
export { keyspaceOf } from './url.ts';

/**
 * One generation's timelines. Its tables must be there: `createGeneration`.
 * @param partitions of the distribution log.
 */
export const openCassandraTimelines = ({
  client,
  generation,
  partitions,
}: {
  readonly client: Cassandra;
  readonly generation: number;
  readonly partitions: number;
}): { readonly reader: TimelineReader; readonly store: PartitionStore } => {
  const tables = tablesOf(generation);
  return {
    reader: new CassandraTimelineReader(client, tables),
    store: new CassandraPartitionStore({
      writer: new CassandraTimelineWriter(client, tables, BUCKET_SIZE),
      checkpoints: new Checkpoints(client, tables, 'timelines'),
      partitions,
    }),
  };
};
