/** What this process follows of the distribution log, for operators. */

import type { Following } from '../../projections/distribution/assignment.ts';
import type { Lag } from '../../projections/engine/port.ts';
import { LagMeter } from '../../projections/engine/runner.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { lateBy } from '../lag.ts';

/** A member that hangs delays its whole group by its session and the rebalance after it; this is about half of that. */
const OUTSIDE_MS = 5000;

/** The position through which the stores hold every partition followed here, or undefined while there is none. */
const positionOf = (following: Following): number | undefined => {
  const positions = [...following.positions().values()];
  return positions.length === 0 ? undefined : Math.min(...positions);
};

export class FollowedHere {
  private readonly metrics: Metrics;
  private readonly clock: Clock;
  private readonly meters = new Map<Following, LagMeter>();

  constructor(metrics: Metrics, clock: Clock) {
    this.metrics = metrics;
    this.clock = clock;
  }

  add(following: Following): Following {
    this.meters.set(following, new LagMeter(positionOf(following) ?? 0, this.clock));
    return following;
  }

  /** Stops following. */
  async end(following: Following): Promise<void> {
    this.meters.delete(following);
    await following.stop();
  }

  /** @param head of the log, or undefined while it cannot be read */
  look(head: number | undefined): void {
    const { followed, unconfirmed } = this.metrics;
    followed.reset();
    unconfirmed.reset();
    for (const [following, meter] of this.meters) {
      const { group } = following;
      followed.set({ group }, following.positions().size);
      unconfirmed.set({ group }, following.unconfirmedMs() / 1000);
      if (head !== undefined) meter.seen(head);
    }
  }

  /** @param limits lag beyond which a group is reported */
  reasons(limits: Lag): string[] {
    return [...this.meters].flatMap(([following, meter]) => {
      const { group } = following;
      const outsideMs = following.unconfirmedMs();
      if (outsideMs > OUTSIDE_MS)
        return [`${group}: its consumer group has not confirmed this process for ${(outsideMs / 1000).toFixed(1)} s`];
      const position = positionOf(following);
      if (position === undefined) return [];
      meter.applied(position);
      const late = lateBy(meter.lag(), limits);
      return late === undefined ? [] : [`${group}: the partitions followed here are ${late}`];
    });
  }
}
