/** The benches of the cluster profile, on the real servers of services/. */
import type { Bench } from '../bench.ts';
import { clusterAppend } from './append.ts';
import { clusterFanout } from './fanout.ts';
import { clusterCold, clusterLatency, clusterLatencyP50, clusterRelease, clusterReleaseP99 } from './latency.ts';
import { clusterRelay } from './relay.ts';
import { clusterTimelines, clusterTimelinesFew } from './timelines.ts';

export const clusterBenches: readonly Bench[] = [
  clusterAppend,
  clusterRelay,
  clusterTimelines,
  clusterTimelinesFew,
  clusterLatency,
  clusterLatencyP50,
  clusterRelease,
  clusterReleaseP99,
  clusterCold,
  clusterFanout,
];
