/** How long a message takes through the cluster, and how much of that is the watermark's wait. */

import { type Bench, median, round } from '../bench.ts';
import type { Talkers } from '../children/talkers.ts';
import { startChild } from '../support/child.ts';
import { withClusterPlace } from '../support/cluster-place.ts';
import { clusterServers } from '../support/cluster-servers.ts';
import { metricsOf, quantileBetween } from '../support/metrics.ts';
import { SENDERS } from '../support/talking.ts';

/** Undelivered messages of each of the fifty senders. More only make every message later. */
const WINDOW = 8;
const CHANNELS = 10;
/** The medians of these count, because another process may take a core for half a second in one of them. */
const ROUNDS = 3;
const HELD = 'parley_feed_held_seconds';

interface Paced {
  readonly saturated: number;
  readonly sentPerSecond: number;
  readonly p50: number;
  /** The values of every round. */
  readonly p99s: readonly number[];
  /** Milliseconds between the arrival of an event at the gateway and its release. */
  readonly held: { readonly p50: number; readonly p99: number };
  /** Positions that the slowest view was behind at the end. */
  readonly behind: number;
}

const measure = (): Promise<Paced> =>
  withClusterPlace(
    { processes: { all: 'gateway,api,relay,projector' }, api: 'all', guilds: 1, channels: CHANNELS, people: SENDERS },
    async ({ cluster, owner, guilds: [guild], caughtUp }) => {
      const { url, port } = cluster.process('all');
      const talkers = await startChild<Talkers>('talkers');
      try {
        const channelIds = guild!.channels.map(({ id }) => id);
        await talkers.call.connect({ port, tokens: [...guild!.people], listeners: [owner.token], channelIds });
        const { perSecond, refused } = await talkers.call.flood({ ms: 6_000, window: WINDOW, until: 'delivered' });
        if (refused > 0) throw new Error(`${refused} commands were refused`);
        await caughtUp('all');
        const before = (await metricsOf(url)).buckets(HELD);
        const rounds: Awaited<ReturnType<Talkers['pace']>>[] = [];
        while (rounds.length < ROUNDS) rounds.push(await talkers.call.pace({ ms: 10_000, perSecond: perSecond / 2 }));
        const told = await metricsOf(url);
        const held = (q: number) => 1_000 * quantileBetween(before, told.buckets(HELD), q);
        const behind = Math.max(...told.all('parley_view_lag_events'));
        return {
          saturated: perSecond,
          sentPerSecond: median(rounds.map((one) => one.sentPerSecond)),
          p50: median(rounds.map(({ p50 }) => p50)),
          p99s: rounds.map(({ p99 }) => p99),
          held: { p50: held(0.5), p99: held(0.99) },
          behind,
        };
      } finally {
        await talkers.stop();
      }
    },
  );

let measuring: Promise<Paced> | undefined;

/** Measured once per run for all benches that report it. */
const paced = (): Promise<Paced> => {
  measuring ??= measure();
  return measuring;
};

export const clusterLatency: Bench = {
  name: 'cluster-latency',
  title:
    'p99 from send to deliver at half of what one process with all roles can deliver, servers and clients beside it',
  reach: { comparison: '<', value: 100, unit: 'ms' },
  prepare: clusterServers,
  run: async () => {
    const { saturated, sentPerSecond, p50, p99s, behind } = await paced();
    const p99 = median(p99s);
    return {
      figures: {
        'p50 ms': round(p50, 1),
        'p99 ms': round(p99, 1),
        'lowest p99': round(Math.min(...p99s), 1),
        'highest p99': round(Math.max(...p99s), 1),
        'sends/s': round(sentPerSecond),
        'delivered/s saturated': round(saturated),
        'events behind': behind,
      },
      ratio: p99,
    };
  },
};

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
