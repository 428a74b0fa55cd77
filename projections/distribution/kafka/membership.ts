/**
 * Whether a consumer still takes part in its group. kafkajs does not say: after a rebalance whose join failed it goes on
 * fetching with the former assignment, and its heartbeats succeed.
 */

import type { Clock } from '../../../schemas/clock.ts';

export interface MembershipParts {
  /** Milliseconds after which a member that its group has not confirmed, or that gets no records, is lost. */
  readonly stuckMs: number;
  /** Longest time that a fetch takes: one that began before a join may still bring records of the former assignment. */
  readonly fetchMs: number;
  /** The offset after the newest record of each partition, from the brokers. */
  readonly newest: () => Promise<ReadonlyMap<number, bigint>>;
  /** Called whenever the group confirms this member. */
  readonly onConfirmed: () => void;
  /** Called with the reason when the member must be replaced. It may be called again. */
  readonly onLost: (reason: Error) => void;
  readonly clock: Clock;
}

interface Quiet {
  /** When the last records were handed over. */
  since: number;
  /** What the brokers held when the partition had become quiet. */
  newest?: bigint;
  /** A later look found newer records, which must be handed over by the next look. */
  due?: true;
}

export class Membership {
  private readonly parts: MembershipParts;
  private readonly partitions = new Map<number, Quiet>();
  private confirmed: number;
  private joinedAt = Number.NEGATIVE_INFINITY;
  private rejoining = false;
  private handing = 0;
  private handedAt = Number.NEGATIVE_INFINITY;
  private asked = Number.NEGATIVE_INFINITY;

  constructor(parts: MembershipParts) {
    this.parts = parts;
    this.confirmed = parts.clock.monotonic();
  }

  joined(partitions: readonly number[]): void {
    this.joinedAt = this.parts.clock.monotonic();
    this.rejoining = false;
    this.partitions.clear();
    for (const partition of partitions) this.partitions.set(partition, { since: this.joinedAt });
    this.confirm();
  }

  rebalancing(): void {
    this.rejoining = true;
    this.partitions.clear();
  }

  heartbeat(): void {
    if (!this.rejoining) this.confirm();
  }

  private confirm(): void {
    this.confirmed = this.parts.clock.monotonic();
    this.parts.onConfirmed();
  }

  /** A fetch begins. Between a rebalance and the join that follows it there is none. */
  fetching(): void {
    if (this.rejoining) this.lose('It fetches although it has not joined its group again');
  }

  /**
   * Records of a partition arrived, and `hand` hands them over.
   * @param hand false when the partition is not followed
   */
  async records(partition: number, hand: () => Promise<boolean>): Promise<void> {
    const arrived = this.parts.clock.monotonic();
    if (this.handing === 0) this.handedAt = arrived;
    this.handing += 1;
    try {
      const followed = await hand();
      if (!followed && !this.rejoining && arrived - this.joinedAt > this.parts.fetchMs)
        this.lose(`It got records of partition ${partition}, which it does not follow`);
    } finally {
      this.handing -= 1;
      this.handedAt = this.parts.clock.monotonic();
      if (this.partitions.has(partition)) this.partitions.set(partition, { since: this.handedAt });
    }
  }

  /** Call this regularly. Never rejects. */
  async look(): Promise<void> {
    const { stuckMs, clock } = this.parts;
    const now = clock.monotonic();
    if (now - this.confirmed > stuckMs) this.lose(`There was no sign of life for ${stuckMs} ms`);
    // While a store takes its time, nothing is fetched from any partition.
    if (this.handing > 0 && now - this.handedAt > stuckMs / 3)
      for (const partition of this.partitions.keys()) this.partitions.set(partition, { since: now });
    if (now - this.asked < stuckMs / 3 || this.quiet().length === 0) return;
    this.asked = now;
    // Brokers that cannot answer send no heartbeats either.
    const newest = await this.parts.newest().catch(() => undefined);
    if (newest !== undefined) this.compare(newest);
  }

  private quiet(): readonly [number, Quiet][] {
    const { stuckMs, clock } = this.parts;
    return [...this.partitions].filter(([, { since }]) => clock.monotonic() - since > stuckMs);
  }

  private compare(newest: ReadonlyMap<number, bigint>): void {
    for (const [partition, quiet] of this.quiet()) {
      const now = newest.get(partition) ?? 0n;
      if (quiet.due) this.lose(`Partition ${partition} has records that it does not get`);
      if (quiet.newest !== undefined && now > quiet.newest) quiet.due = true;
      quiet.newest ??= now;
    }
  }

  private lose(reason: string): void {
    this.parts.onLost(new Error(reason));
  }
}
