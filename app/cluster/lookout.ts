/** How far each view lags behind the log, for operators and load balancers. */

import type { LogReader } from '../../log/port.ts';
import type { Progress } from '../../projections/engine/port.ts';
import { LagMeter } from '../../projections/engine/runner.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Watch } from '../../stores/guard.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { lateBy, meterView } from '../lag.ts';
import type { FollowedHere } from './followed.ts';

const LOOK_MS = 500;
/** Between two looks into the store of a view that is at the head. */
const ASK_MS = 5000;
export const DELIVERY = 'delivery';

interface Watched {
  readonly progress: Progress;
  readonly meter: LagMeter;
  /** Asks whoever knows how far it has got. Absent for what this process does itself. */
  readonly ask: (() => Promise<void>) | undefined;
  /** Its position at the last look, and when it was last asked. */
  seen: number;
  asked: number;
}

export class Lookout {
  private readonly log: LogReader;
  private readonly metrics: Metrics;
  private readonly watch: Watch;
  private readonly watched = new Map<string, Watched>();
  private readonly clock: Clock;
  private readonly followed: FollowedHere;
  private readonly endLooks: () => void;
  private logGone: string | undefined;

  /** @param watch is told whether the log answers */
  constructor(log: LogReader, metrics: Metrics, clock: Clock, watch: Watch, followed: FollowedHere) {
    this.clock = clock;
    this.followed = followed;
    this.log = log;
    this.metrics = metrics;
    this.watch = watch;
    this.endLooks = clock.every(LOOK_MS, () => void this.look());
  }

  add(name: string, progress: Progress, ask?: () => Promise<void>): void {
    const meter = new LagMeter(progress.checkpoint(), this.clock);
    this.watched.set(name, { progress, meter, ask, seen: -1, asked: Number.NEGATIVE_INFINITY });
  }

  private async look(): Promise<void> {
    let head: number | undefined;
    try {
      head = await this.log.head();
      this.logGone = undefined;
      this.watch.answered();
      for (const watched of this.watched.values()) {
        watched.meter.seen(head);
        this.askIfSilent(watched, head);
      }
    } catch (error) {
      // Anybody may ask for readiness, so this message must not repeat what the log's server said.
      this.logGone = error instanceof Error ? error.message : String(error);
      this.watch.failed(error, 'transient', false);
    }
    this.followed.look(head);
    for (const [view, { progress, meter }] of this.watched) {
      meter.applied(progress.checkpoint());
      meterView(this.metrics, view, progress.checkpoint(), meter.lag());
    }
  }

  /** What a view's projector tells comes through Redis. Its store knows when that is lost, and is watched by asking. */
  private askIfSilent(watched: Watched, head: number): void {
    const now = this.clock.monotonic();
    const position = watched.progress.checkpoint();
    const silent = position < head && position === watched.seen;
    watched.seen = position;
    if (!silent && now - watched.asked < ASK_MS) return;
    watched.asked = now;
    // An unavailable store has not advanced, and its guard reports it.
    watched.ask?.().catch(() => {});
  }

  /** Names of what is late, with how far it is behind the log. */
  private late(): readonly { readonly name: string; readonly line: string }[] {
    return [...this.watched].flatMap(([name, { progress, meter }]) => {
      meter.applied(progress.checkpoint());
      const late = lateBy(meter.lag());
      return late === undefined ? [] : [{ name, line: `${name}: ${late}` }];
    });
  }

  /** Reasons why this process should not get requests now: others may be able to serve them. */
  reasons(): readonly string[] {
    const own = this.late().flatMap(({ name, line }) => (name === DELIVERY ? [line] : []));
    return this.logGone === undefined ? own : [`the event log: ${this.logGone}`, ...own];
  }

  /** Views that are late: every process reads the same ones, and what they lack comes from the log. */
  degraded(): readonly string[] {
    return this.late().flatMap(({ name, line }) => (name === DELIVERY ? [] : [line]));
  }

  stop(): void {
    this.endLooks();
  }
}
