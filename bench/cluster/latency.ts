/** How long a message takes through the cluster, and how much of that is the watermark's wait. */

import { type Bench, median, round } from '../bench.ts';
import type { Talkers } from '../children/talkers.ts';
import { startChild } from '../support/child.ts';
import { withClusterPlace } from '../support/cluster-place.ts';
import { clusterServers } from '../support/cluster-servers.ts';
import { metricsOf, quantileBetween } from '../support/metrics.ts';
import { gatewayAt } from '../support/mini-socket.ts';
import { SENDERS } from '../support/talking.ts';

const PER_SECOND = 1_600;
const COLD_PER_SECOND = 33;
const CHANNELS = 10;
/** The medians of these count, because another process may take a core for half a second in one of them. */
const ROUNDS = 5;
const ROUND_MS = 10_000;
const HELD = 'parley_feed_held_seconds';

interface Paced {
  readonly sentPerSecond: number;
  readonly p50: number;
  /** The values of every round. */
  readonly p99s: readonly number[];
  /** Milliseconds between the arrival of an event at the gateway and its release. */
  readonly held: { readonly p50: number; readonly p99: number };
  /** Milliseconds of the server's CPU that a thousand messages take. */
  readonly cpu: number;
  /** Positions that the slowest view was behind at the end. */
  readonly behind: number;
}

const measure = (perSecond: number, senders: number): Promise<Paced> =>
  withClusterPlace(
    { processes: { all: 'gateway,api,relay,projector' }, api: 'all', guilds: 1, channels: CHANNELS, people: senders },
    async ({ cluster, owner, guilds: [guild], caughtUp }) => {
      const { url, port } = cluster.process('all');
      const talkers = await startChild<Talkers>('talkers');
      try {
        const channelIds = guild!.channels.map(({ id }) => id);
        await talkers.call.connect({
          ...{ protocol: 'parley', url: gatewayAt(port), channelIds },
          tokens: [...guild!.people],
          listeners: [owner.token],
        });
        const pace = () => talkers.call.pace({ ms: ROUND_MS, perSecond });
        // The first round compiles the code.
        await pace();
        await caughtUp('all');
        const before = await metricsOf(url);
        const rounds: Awaited<ReturnType<Talkers['pace']>>[] = [];
        while (rounds.length < ROUNDS) rounds.push(await pace());
        const after = await metricsOf(url);
        const held = (q: number) => 1_000 * quantileBetween(before.buckets(HELD), after.buckets(HELD), q);
        const grown = (name: string) => after.all(name)[0]! - before.all(name)[0]!;
        return {
          sentPerSecond: median(rounds.map((one) => one.sentPerSecond)),
          p50: median(rounds.map(({ p50 }) => p50)),
          p99s: rounds.map(({ p99 }) => p99),
          held: { p50: held(0.5), p99: held(0.99) },
          cpu: (1_000_000 * grown('process_cpu_seconds_total')) / grown('parley_relayed_events_total'),
          behind: Math.max(...after.all('parley_view_lag_events')),
        };
      } finally {
        await talkers.stop();
      }
    },
  );

/** Measured once per run for all benches that report it. */
const once = (measuring: () => Promise<Paced>): (() => Promise<Paced>) => {
  let measured: Promise<Paced> | undefined;
  return () => {
    measured ??= measuring();
    return measured;
  };
};

const paced = once(() => measure(PER_SECOND, SENDERS));
const cold = once(() => measure(COLD_PER_SECOND, 1));

const figuresOf = ({ sentPerSecond, p50, p99s, cpu, behind }: Paced) => ({
  'p50 ms': round(p50, 1),
  'p99 ms': round(median(p99s), 1),
  'lowest p99': round(Math.min(...p99s), 1),
  'highest p99': round(Math.max(...p99s), 1),
  'sends/s': round(sentPerSecond),
  'CPU ms for 1,000 messages': round(cpu),
  'events behind': behind,
});

const latencyBench = (
  name: string,
  what: string,
  value: number,
  measured: () => Promise<Paced>,
  of: (paced: Paced) => number,
): Bench => ({
  name,
  title: `${what} from send to deliver, one process with all roles, servers and clients beside it`,
  reach: { comparison: '<', value, unit: 'ms' },
  prepare: clusterServers,
  run: async () => {
    const result = await measured();
    return { figures: figuresOf(result), ratio: of(result) };
  },
});

const steady = `at ${PER_SECOND.toLocaleString('en')} messages/s of ${SENDERS} senders`;
export const clusterLatency = latencyBench('cluster-latency', `p99 ${steady}`, 60, paced, ({ p99s }) => median(p99s));
export const clusterLatencyP50 = latencyBench('cluster-latency-p50', `p50 ${steady}`, 12, paced, ({ p50 }) => p50);
export const clusterCold = latencyBench(
  'cluster-cold',
  `p50 at ${COLD_PER_SECOND} messages/s of one sender`,
  8,
  cold,
  ({ p50 }) => p50,
);

const releaseBench = (name: string, quantile: 'p50' | 'p99', value: number): Bench => ({
  name,
  title: `${quantile} of what the watermark adds: from an event's arrival at the gateway to its release, in the run of cluster-latency`,
  reach: { comparison: '<', value, unit: 'ms' },
  prepare: clusterServers,
  run: async () => {
    const { held, sentPerSecond } = await paced();
    return { figures: { 'ms held': round(held[quantile], 2), 'sends/s': round(sentPerSecond) }, ratio: held[quantile] };
  },
});

export const clusterRelease = releaseBench('cluster-release', 'p50', 10);
export const clusterReleaseP99 = releaseBench('cluster-release-p99', 'p99', 50);
