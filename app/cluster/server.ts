/** The cluster profile as a process: its roles, with the edges they need. */

import type { LogReader } from '../../log/port.ts';
import type { Progress } from '../../projections/engine/port.ts';
import { LagMeter } from '../../projections/engine/runner.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Role } from '../../schemas/config.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { apiRoutes, type EdgeOptions, gatewayEdge, httpEdge, listen, type Server } from '../edges.ts';
import { Connections, type Say } from './connections.ts';
import { FollowedHere } from './followed.ts';
import { type Node, openNode } from './node.ts';
import { standForFinisher, standForRelay, startProjector } from './roles.ts';

/** How far each view lags behind the log, for operators and load balancers. */
const LOOK_MS = 500;
/** A view with a larger lag is not ready: reads would show the past. */
const READY_LAG = { events: 10_000, seconds: 5 };

interface Watched {
  readonly progress: Progress;
  readonly meter: LagMeter;
}

class Lookout {
  private readonly log: LogReader;
  private readonly metrics: Metrics;
  private readonly watched = new Map<string, Watched>();
  private readonly clock: Clock;
  private readonly followed: FollowedHere;
  private readonly endLooks: () => void;
  private logGone: string | undefined;

  constructor(log: LogReader, metrics: Metrics, clock: Clock, followed: FollowedHere) {
    this.clock = clock;
    this.followed = followed;
    this.log = log;
    this.metrics = metrics;
    this.endLooks = clock.every(LOOK_MS, () => void this.look());
  }

  watch(name: string, progress: Progress): void {
    this.watched.set(name, { progress, meter: new LagMeter(progress.checkpoint(), this.clock) });
  }

  private async look(): Promise<void> {
    let head: number | undefined;
    try {
      head = await this.log.head();
      this.logGone = undefined;
      for (const { meter } of this.watched.values()) meter.seen(head);
    } catch (error) {
      // Anybody may ask for readiness, so this message must not repeat what the log's server said.
      this.logGone = error instanceof Error ? error.message : String(error);
    }
    this.followed.look(head);
    for (const [view, { progress, meter }] of this.watched) {
      meter.applied(progress.checkpoint());
      const { events, seconds } = meter.lag();
      this.metrics.viewPosition.set({ view }, progress.checkpoint());
      this.metrics.viewLagEvents.set({ view }, events);
      this.metrics.viewLagSeconds.set({ view }, seconds);
    }
  }

  /** Reasons why this process should not get requests now. */
  reasons(): string[] {
    const late = [...this.watched].flatMap(([name, { progress, meter }]) => {
      meter.applied(progress.checkpoint());
      const { events, seconds } = meter.lag();
      if (events <= READY_LAG.events && seconds <= READY_LAG.seconds) return [];
      return [`${name}: ${events} events (${seconds.toFixed(1)} s) behind the log`];
    });
    return this.logGone === undefined ? late : [`the event log: ${this.logGone}`, ...late];
  }

  stop(): void {
    this.endLooks();
  }
}

export interface ClusterServerOptions extends EdgeOptions {
  readonly say: Say;
  /** Called once when the process cannot go on and should end. */
  readonly onFailure: (error: unknown) => void;
}

const serves = (roles: readonly Role[]): boolean => roles.includes('gateway') || roles.includes('api');

/** The routes for clients: only operations, unless this process has the roles for more. */
const openEdges = async (
  options: ClusterServerOptions,
  node: Node | undefined,
  reasons: () => string[],
): Promise<Pick<Server, 'url' | 'stop'>> => {
  const { config } = options;
  const { roles } = config.cluster;
  const routes = node !== undefined && roles.includes('api') ? apiRoutes(options, node.api) : [];
  const http = httpEdge(options, node?.api, routes, reasons);
  const gateway =
    node !== undefined && roles.includes('gateway')
      ? await gatewayEdge(options, node.gateway, http, node.shared)
      : undefined;
  if (node !== undefined && gateway !== undefined) {
    node.listenForTyping(gateway);
    node.delivered.onBatch((events, through) => gateway.deliver(events, through));
  }
  await node?.start();
  const url = await listen(http, config);
  return {
    url,
    async stop() {
      await gateway?.drain(config.drainMs);
      await http.close();
      await gateway?.close();
    },
  };
};

/** Waits for the servers that its roles need, and reports it. */
export const startClusterServer = async (options: ClusterServerOptions): Promise<Server> => {
  const { config, metrics, clock, say, onFailure } = options;
  const { roles } = config.cluster;
  const connections = new Connections(options, say);
  const { opened } = connections;
  let draining = false;
  try {
    const log = await connections.log();
    const firstStart = (await log.head()) === 0;
    const followed = new FollowedHere(metrics, clock);
    const lookout = opened.add(new Lookout(log, metrics, clock, followed), (one) => one.stop());
    const node = serves(roles) ? await openNode(connections, options, onFailure) : undefined;
    if (node !== undefined) {
      for (const [view, progress] of Object.entries(node.reads.progress)) lookout.watch(view, progress);
      lookout.watch('delivery', node.delivered);
      await standForFinisher(connections, options, { log, write: node.api.write });
    }
    const edges = await openEdges(options, node, () => [
      ...(draining ? ['draining: this server is stopping'] : []),
      ...lookout.reasons(),
      // Whoever serves clients does not depend on what this process follows: another may follow it.
      ...(node === undefined ? followed.reasons(READY_LAG) : []),
    ]);
    // Started last, because these roles also serve the clients of this process.
    if (roles.includes('relay')) await standForRelay(connections, options, onFailure);
    if (roles.includes('projector')) await startProjector(connections, options, followed, onFailure);
    return {
      url: edges.url,
      firstStart,
      async stop() {
        draining = true;
        await edges.stop();
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
};
