/** The projector's rate from Kafka into the timelines, compared with single inserts into Cassandra. */

import type { EventLog } from '../../log/port.ts';
import { openPostgresEventLog } from '../../log/postgres/event-log.ts';
import { followPartitions } from '../../projections/distribution/kafka/follow.ts';
import { startRelay } from '../../projections/distribution/kafka/relay.ts';
import { ParsedRecords } from '../../projections/distribution/parsed-records.ts';
import type { PartitionBatch, PartitionStore } from '../../projections/engine/port.ts';
import { openCassandraTimelines } from '../../projections/views/timelines/cassandra/store.ts';
import { BUCKET_SIZE, createGeneration, tablesOf } from '../../projections/views/timelines/cassandra/tables.ts';
import { type RowChange, Statements } from '../../projections/views/timelines/cassandra/writer.ts';
import { timelineChanges } from '../../projections/views/timelines/view.ts';
import { systemClock } from '../../schemas/clock.ts';
import { type Cassandra, keyspaceOf, openCassandra } from '../../stores/cassandra/connection.ts';
import { type Bench, median, type Reach, round } from '../bench.ts';
import { clusterServers, withNamespace } from '../support/cluster-servers.ts';
import { fillLog, silent } from '../support/filled-log.ts';

const PARTITIONS = 8;
const AT_ONCE = 64;
const PAGE = 10_000;
const ROUNDS = 6;

interface Side {
  readonly cassandra: Cassandra;
  readonly log: EventLog;
  readonly url: string;
  readonly namespace: string;
  readonly events: number;
}

/** Fills Kafka once. Every round follows it from the beginning. */
const relayAll = ({ log, url, namespace, events }: Side): Promise<void> =>
  new Promise((resolve, reject) => {
    const relay = startRelay({
      log,
      url,
      namespace,
      partitions: PARTITIONS,
      checkpoints: { read: async () => 0, write: async () => {} },
      logger: silent,
      clock: systemClock,
      onRelayed: (_, through) => {
        if (through >= events) relay.stop().then(resolve, reject);
      },
      onFailure: reject,
    });
  });

/** @returns events a second, from the first batch handed to the store until the last is stored */
const project = async (side: Side, generation: number): Promise<number> => {
  const { cassandra, log, url, namespace, events } = side;
  await createGeneration(cassandra, generation);
  const { store } = openCassandraTimelines({
    ...{ client: cassandra, generation, partitions: PARTITIONS },
    clock: systemClock.monotonic,
  });
  let begun: number | undefined;
  const sink: PartitionStore = {
    name: store.name,
    checkpoints: () => store.checkpoints(),
    commit(batch: PartitionBatch) {
      begun ??= performance.now();
      return store.commit(batch);
    },
    repair: (events) => store.repair(events),
    classify: (failure) => store.classify(failure),
    flush: () => store.flush(),
  };
  let stored = 0;
  let finish = (_failure?: unknown) => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = (failure) => (failure === undefined ? resolve() : reject(failure));
  });
  const following = followPartitions({
    ...{ url, namespace, partitions: PARTITIONS, log, logger: silent, clock: systemClock },
    group: `timelines-g${generation}`,
    parsed: new ParsedRecords(),
    sink,
    onThrough: (_partition, { events: count }) => {
      stored += count;
      if (stored >= events) finish();
    },
    onFailure: finish,
  });
  try {
    await finished;
    return (events * 1_000) / (performance.now() - begun!);
  } finally {
    await following.stop();
  }
};

const postingsIn = async (log: EventLog, events: number): Promise<readonly RowChange[]> => {
  const rows: RowChange[] = [];
  for (let after = 0; after < events; ) {
    const page = await log.readAll({ after, limit: PAGE });
    after = page.through;
    for (const change of timelineChanges(page.events)) if (change.kind !== 'through') rows.push(change);
  }
  return rows;
};

/** Writes the row of every message, but no channel progress, first ids or checkpoint. */
const insert = async ({ cassandra, events }: Side, generation: number, rows: readonly RowChange[]) => {
  const tables = tablesOf(generation);
  await createGeneration(cassandra, generation);
  const statements = new Statements(tables, BUCKET_SIZE);
  const prepared = rows.flatMap((row) => statements.ofRow(row, statements.bucketOf(row)));
  let next = 0;
  const inserter = async (): Promise<void> => {
    for (let statement = prepared[next++]; statement !== undefined; statement = prepared[next++])
      await cassandra.client.execute(statement.query, statement.params as unknown[], {
        prepare: true,
        isIdempotent: true,
      });
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, inserter));
  return (events * 1_000) / (performance.now() - begun);
};

const timelinesBench = (name: string, channels: number, events: number, reach: Reach): Bench => ({
  name,
  title: `events/s from Kafka into the timelines of ${channels.toLocaleString('en')} channels / raw prepared inserts, 64 at once`,
  reach,
  prepare: clusterServers,
  run: () =>
    withNamespace(async ({ name: namespace, env }) => {
      const log = await openPostgresEventLog({ clock: systemClock, url: env.PARLEY_LOG_URL! });
      const cassandra = await openCassandra({
        clock: systemClock,
        url: env.PARLEY_CASSANDRA_URL!,
        keyspace: keyspaceOf(namespace),
      });
      const side: Side = { cassandra, log, url: env.PARLEY_KAFKA_URL!, namespace, events };
      try {
        await fillLog(log, channels, events);
        await relayAll(side);
        const rows = await postingsIn(log, events);
        const rates: { projected: number; raw: number }[] = [];
        for (let i = 0; i < ROUNDS; i += 1) {
          const raw = await insert(side, 2 * i + 1, rows);
          rates.push({ projected: await project(side, 2 * i + 2), raw });
        }
        // The first round compiles the code, ours and the server's.
        const measured = rates.slice(1);
        return {
          figures: {
            'events/s': round(median(measured.map(({ projected }) => projected))),
            'raw inserts/s': round(median(measured.map(({ raw }) => raw))),
          },
          ratio: median(measured.map(({ projected, raw }) => projected / raw)),
        };
      } finally {
        await cassandra.close();
        await log.close();
      }
    }),
});

const reach: Reach = { comparison: '>=', value: 0.6 };
export const clusterTimelines = timelinesBench('cluster-timelines', 2_000, 20_000, reach);
export const clusterTimelinesFew = timelinesBench('cluster-timelines-few', 20, 20_000, reach);
