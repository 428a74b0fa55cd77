/** How far each view is behind the log, as operators and load balancers are told. */
import type { LogReader } from '../../log/port.ts';
import type { Progress } from '../../projections/port.ts';
import { LagMeter } from '../../projections/runner/lag-meter.ts';
import type { Metrics } from '../metrics.ts';

const LOOK_MS = 500;
/** Behind by more than this, a view is not ready: reads would show the past. */
const READY_LAG_EVENTS = 10_000;
const READY_LAG_SECONDS = 5;

interface Watched {
  readonly progress: Progress;
  readonly meter: LagMeter;
}

export class Lookout {
  private readonly log: LogReader;
  private readonly metrics: Metrics;
  private readonly watched = new Map<string, Watched>();
  private readonly timer: NodeJS.Timeout;
  private logGone: string | undefined;

  constructor(log: LogReader, metrics: Metrics) {
    this.log = log;
    this.metrics = metrics;
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  watch(name: string, progress: Progress): void {
    this.watched.set(name, { progress, meter: new LagMeter(progress.checkpoint(), Date.now) });
  }

  private async look(): Promise<void> {
    try {
      const head = await this.log.head();
      this.logGone = undefined;
      for (const { meter } of this.watched.values()) meter.seen(head);
    } catch (error) {
      this.logGone = error instanceof Error ? error.message : String(error);
    }
    for (const [view, { progress, meter }] of this.watched) {
      meter.applied(progress.checkpoint());
      const { events, seconds } = meter.lag();
      this.metrics.viewPosition.set({ view }, progress.checkpoint());
      this.metrics.viewLagEvents.set({ view }, events);
      this.metrics.viewLagSeconds.set({ view }, seconds);
    }
  }

  /** Why this process should not be sent requests, now. */
  reasons(): string[] {
    const late = [...this.watched].flatMap(([name, { progress, meter }]) => {
      meter.applied(progress.checkpoint());
      const { events, seconds } = meter.lag();
      if (events <= READY_LAG_EVENTS && seconds <= READY_LAG_SECONDS) return [];
      return [`${name}: ${events} events (${seconds.toFixed(1)} s) behind the log`];
    });
    return this.logGone === undefined ? late : [`the event log: ${this.logGone}`, ...late];
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
