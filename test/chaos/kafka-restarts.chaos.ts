/** Kafka is killed and restarted at ten random moments, under load. Projectors go on within seconds each time. */

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MemoryCheckpoints } from '../../coordination/memory.ts';
import { MemoryLog } from '../../log/memory.ts';
import { followPartitions } from '../../projections/distribution/kafka/follow.ts';
import { startRelay } from '../../projections/distribution/kafka/relay.ts';
import { ParsedRecords } from '../../projections/distribution/parsed-records.ts';
import { randomNamespace, silent } from '../../projections/distribution/testing.ts';
import { byStream, MemorySink } from '../../projections/engine/testing.ts';
import { Story } from '../../projections/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { OwnServices } from '../../services/port.ts';
import { privateServices } from '../../services/private.ts';
import { type Cluster, SPLIT, startCluster } from '../support/cluster.ts';
import { type Load, startLoad } from '../support/load.ts';
import { LIMITS_OFF } from '../support/server.ts';
import { Verdict } from '../support/verdict.ts';
import { figure } from './figures.ts';

const PARTITIONS = 8;
const GROUPS = ['guild-views-g1', 'timelines-g1', 'unread-g1', 'delivery'] as const;
/**
 * Milliseconds for which Kafka stays away, shorter and longer than a member's session and than its patience; and those
 * after which it is killed once more, while the members join again.
 */
const RESTARTS: readonly { readonly awayMs: number; readonly againMs?: number }[] = [
  { awayMs: 0 },
  { awayMs: 25_000 },
  { awayMs: 3000, againMs: 200 },
  { awayMs: 8000 },
  { awayMs: 40_000 },
  { awayMs: 3000, againMs: 1000 },
  { awayMs: 25_000 },
  { awayMs: 500, againMs: 3000 },
  { awayMs: 12_000 },
  { awayMs: 25_000 },
];
/** After Kafka answers again, everything written meanwhile must be followed within this. */
const BACK_MS = 30_000;

describe('two projectors that follow four views', () => {
  let own: OwnServices;
  const log = new MemoryLog();
  const story = new Story(log);
  const sinks = GROUPS.map(() => new MemorySink(PARTITIONS));
  const open: { stop(): Promise<void> }[] = [];
  const replaced: string[] = [];
  let endPosting = () => {};

  /** Milliseconds until every view holds what the log held at the call. */
  const followed = async (what: string): Promise<number> => {
    const began = performance.now();
    const head = log.all.length;
    const given = AbortSignal.timeout(BACK_MS);
    const late = new Promise<never>((_, reject) =>
      given.addEventListener('abort', () =>
        reject(new Error(`${what}: the views hold ${sinks.map(({ positions }) => Math.min(...positions))} of ${head}`)),
      ),
    );
    await Promise.race([Promise.all(sinks.map((sink) => sink.until(head))), late]);
    return performance.now() - began;
  };

  beforeAll(async () => {
    own = await privateServices();
    await own.start('kafka');
    const common = {
      ...{ log, url: own.urls.kafka, namespace: randomNamespace(), partitions: PARTITIONS, logger: silent },
      clock: systemClock,
      onFailure: (failure: unknown) => {
        throw failure;
      },
    };
    open.push(startRelay({ ...common, checkpoints: new MemoryCheckpoints() }));
    const onReplaced = (reason: string) => replaced.push(reason);
    for (const parsed of [new ParsedRecords(), new ParsedRecords()])
      for (const [n, group] of GROUPS.entries())
        open.push(followPartitions({ ...common, parsed, group, sink: sinks[n]!, onReplaced }));
    let n = 0;
    endPosting = systemClock.every(5, () => story.post(String(100 + (n++ % 23)), '1'));
    await followed('at the start');
  });

  afterAll(async () => {
    endPosting();
    await Promise.all(open.map((one) => one.stop()));
    await own?.destroy();
  });

  it(`goes on after each of ${RESTARTS.length} restarts, and loses and reorders nothing`, async () => {
    const took: number[] = [];
    for (const [n, { awayMs, againMs }] of RESTARTS.entries()) {
      const away = async () => {
        await own.kill('kafka');
        await wait(awayMs);
        await own.start('kafka');
      };
      await wait(Math.random() * 3000);
      await away();
      if (againMs !== undefined) {
        await wait(againMs);
        await away();
      }
      took.push(await followed(`restart ${n + 1}, after ${awayMs} ms`));
    }
    endPosting();
    await followed('at the end');
    for (const sink of sinks) expect(byStream(sink.events)).toEqual(byStream(log.all));
    figure('from the answer of a restarted Kafka until every view holds everything', took);
    figure('consumers replaced', [replaced.length], 'in all');
    for (const reason of new Set(replaced)) process.stderr.write(`replaced: ${reason}\n`);
  });
});

describe('a cluster whose Kafka is killed', () => {
  let own: OwnServices;
  let cluster: Cluster<keyof typeof SPLIT>;
  let load: Load;

  const readyOf = async (name: keyof typeof SPLIT) => {
    const answer = await fetch(`${cluster.url(name)}/ready`);
    return `${answer.status} ${await answer.text()}`;
  };
  const untilReady = (name: keyof typeof SPLIT, what: RegExp) =>
    vi.waitFor(async () => expect(await readyOf(name)).toMatch(what), { timeout: 60_000, interval: 200 });

  beforeAll(async () => {
    own = await privateServices();
    await own.start('kafka');
    cluster = await startCluster({ processes: SPLIT, env: { ...LIMITS_OFF, PARLEY_KAFKA_URL: own.urls.kafka } });
    load = await startLoad(cluster);
  });

  afterAll(async () => {
    load?.close();
    await cluster?.close();
    await own?.destroy();
  });

  it.each([8000, 25_000, 40_000])(
    'for %d ms: its projectors say so, and follow again when it is back',
    async (awayMs) => {
      await load.more(1 + Math.floor(Math.random() * 100));
      const killed = performance.now();
      await own.kill('kafka');
      await load.more(100);
      await load.heard();
      for (const name of ['projector-1', 'projector-2'] as const)
        await untilReady(name, /^503 .*timelines-g1: its consumer group has not confirmed this process/);
      await wait(Math.max(0, awayMs - (performance.now() - killed)));
      await own.start('kafka');
      const back = performance.now();
      for (const name of ['projector-1', 'projector-2', 'api'] as const) await untilReady(name, /^200 /);
      figure('from the answer of a restarted Kafka until api and projectors are ready', [performance.now() - back]);
      await load.more(100);
      await load.heard();
    },
  );

  it('loses, doubles and reorders nothing', async () => {
    const verdict = await Verdict.on(load);
    await verdict.expectAll();
  });
});
