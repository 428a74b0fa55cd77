/** How much of kafkajs's send rate the relay reaches while it also reads the log. */

import type { EventLog } from '../../log/port.ts';
import { openPostgresEventLog } from '../../log/postgres/event-log.ts';
import { startRelay } from '../../projections/distribution/kafka/relay.ts';
import { type PartitionRecord, recordsOf, tickedThrough } from '../../projections/distribution/records.ts';
import { systemClock } from '../../schemas/clock.ts';
import { ensureTopic, eventsTopic, kafkaOf } from '../../stores/kafka/connection.ts';
import { type Bench, median, round } from '../bench.ts';
import { clusterServers, withNamespace } from '../support/cluster-servers.ts';
import { fillLog, silent } from '../support/filled-log.ts';

const EVENTS = 100_000;
const CHANNELS = 200;
/** Events in a batch, as in the relay. */
const PAGE = 1_000;
const ROUNDS = 6;
const PARTITIONS = 8;

/** Counts from the first batch on, so that neither side pays for connecting. */
class Stopwatch {
  private begun: number | undefined;
  private events = 0;

  acknowledged(events: number): void {
    if (this.begun === undefined) this.begun = performance.now();
    else this.events += events;
  }

  perSecond(): number {
    return (this.events * 1_000) / (performance.now() - this.begun!);
  }
}

const relayRound = (log: EventLog, url: string, namespace: string, head: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const stopwatch = new Stopwatch();
    const relay = startRelay({
      log,
      url,
      namespace,
      partitions: PARTITIONS,
      // Starts from the beginning in every round.
      checkpoints: { read: async () => 0, write: async () => {} },
      logger: silent,
      clock: systemClock,
      onRelayed: (events, through) => {
        stopwatch.acknowledged(events);
        if (through < head) return;
        const rate = stopwatch.perSecond();
        relay.stop().then(() => resolve(rate), reject);
      },
      onFailure: reject,
    });
  });

/** The records that the relay sends, prepared beforehand. */
const batchesOf = async (log: EventLog, head: number): Promise<readonly (readonly PartitionRecord[])[]> => {
  const batches: (readonly PartitionRecord[])[] = [];
  for (let after = 0; after < head; ) {
    const page = await log.rawAll({ after, limit: PAGE });
    const ticked = tickedThrough(after, PARTITIONS);
    batches.push(recordsOf(page, { from: after, ticked, toAll: true }, log.epoch).records);
    after = page.through;
  }
  return batches;
};

const rawRound = async (url: string, topic: string, batches: readonly (readonly PartitionRecord[])[]) => {
  const producer = kafkaOf(url, 'bench', silent).producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner: () => (args: { message: { partition?: number } }) => args.message.partition!,
  });
  await producer.connect();
  try {
    const stopwatch = new Stopwatch();
    for (const batch of batches) {
      await producer.sendBatch({ topicMessages: [{ topic, messages: [...batch] }] });
      stopwatch.acknowledged(batch.length - PARTITIONS);
    }
    return stopwatch.perSecond();
  } finally {
    await producer.disconnect();
  }
};

export const clusterRelay: Bench = {
  name: 'cluster-relay',
  title: 'events/s of the relay, from PostgreSQL into Kafka / a raw kafkajs producer with the same batches',
  reach: { comparison: '>=', value: 0.7 },
  prepare: clusterServers,
  run: () =>
    withNamespace(async ({ name, env }) => {
      const url = env.PARLEY_KAFKA_URL!;
      const rawTopic = `${name}-raw`;
      const log = await openPostgresEventLog({ clock: systemClock, url: env.PARLEY_LOG_URL! });
      try {
        await fillLog(log, CHANNELS, EVENTS);
        const batches = await batchesOf(log, EVENTS);
        await ensureTopic(kafkaOf(url, 'bench', silent), eventsTopic(name), PARTITIONS);
        await ensureTopic(kafkaOf(url, 'bench', silent), rawTopic, PARTITIONS);
        const rates: { relay: number; raw: number }[] = [];
        for (let i = 0; i < ROUNDS; i += 1) {
          const raw = await rawRound(url, rawTopic, batches);
          rates.push({ relay: await relayRound(log, url, name, EVENTS), raw });
        }
        // The first round compiles the code.
        const measured = rates.slice(1);
        return {
          figures: {
            'relay events/s': round(median(measured.map(({ relay }) => relay))),
            'raw events/s': round(median(measured.map(({ raw }) => raw))),
          },
          ratio: median(measured.map(({ relay, raw }) => relay / raw)),
        };
      } finally {
        await log.close();
      }
    }),
};
