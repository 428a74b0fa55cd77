/** A lease from any store: granted for a time, renewed by its holder, and judged by the holder's own clock. */

import type { Clock } from '../schemas/clock.ts';
import { BUDGETS } from '../stores/budgets.ts';
import type { Leadership, LeadershipOptions, Leaderships } from './port.ts';

export interface LeaseTimes {
  /** Duration of a lease in milliseconds, by the granter's clock. */
  readonly leaseMs: number;
  /** Milliseconds between renewals. */
  readonly renewMs: number;
}

/** Grants leases of one kind to this process. */
export interface Grants<Grant> {
  /** `undefined` when none is free now. */
  take(leaseMs: number): Promise<Grant | undefined>;
  /** False when it has ended or belongs to another process. */
  renew(grant: Grant, leaseMs: number): Promise<boolean>;
  release(grant: Grant): Promise<void>;
}

export class Lease<Grant> {
  readonly grant: Grant;
  /** Resolves when it is no longer held, or may belong to another process. */
  readonly lost: Promise<void>;
  private readonly from: Grants<Grant>;
  private readonly times: LeaseTimes;
  private readonly clock: Clock;
  private readonly endLooks: () => void;
  private validUntil: number;
  private over = false;
  private tellLost: () => void = () => {};

  private constructor(from: Grants<Grant>, grant: Grant, asked: number, times: LeaseTimes, clock: Clock) {
    this.from = from;
    this.grant = grant;
    this.times = times;
    this.clock = clock;
    this.validUntil = this.grantedAt(asked);
    this.lost = new Promise((resolve) => {
      this.tellLost = resolve;
    });
    this.endLooks = clock.every(times.renewMs, () => this.look());
  }

  /** @returns `undefined` when none is free now */
  static async take<Grant>(from: Grants<Grant>, times: LeaseTimes, clock: Clock): Promise<Lease<Grant> | undefined> {
    const asked = clock.monotonic();
    const grant = await from.take(times.leaseMs);
    return grant === undefined ? undefined : new Lease(from, grant, asked, times, clock);
  }

  /** Counts from before the request and relies on two thirds of the grant, whatever the round trip took. */
  private grantedAt(asked: number): number {
    return asked + (this.times.leaseMs * 2) / 3;
  }

  valid(): boolean {
    return !this.over && this.clock.monotonic() < this.validUntil;
  }

  private look(): void {
    if (!this.valid()) this.end();
    // A renewal without an answer delays no later one: its connection may be the only thing that is broken.
    else void this.renew();
  }

  private async renew(): Promise<void> {
    const asked = this.clock.monotonic();
    try {
      if (await this.from.renew(this.grant, this.times.leaseMs))
        this.validUntil = Math.max(this.validUntil, this.grantedAt(asked));
      else this.end();
    } catch {
      // The store cannot answer; the next renewal tries again, while there is time.
    }
  }

  private end(): void {
    this.over = true;
    this.endLooks();
    this.tellLost();
  }

  /** If it cannot be given back, it expires by itself. */
  async release(): Promise<void> {
    this.end();
    await this.from.release(this.grant).catch(() => {});
  }
}

export const LEADERSHIP_LEASE: LeaseTimes = BUDGETS.leases.leadership;

class LeasedLeadership implements Leadership {
  private readonly options: LeadershipOptions;
  private readonly grants: Grants<number>;
  private readonly times: LeaseTimes;
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private readonly stopped: Promise<void>;
  private readonly sought: Promise<void>;
  private lease: Lease<number> | undefined;

  constructor(grants: Grants<number>, options: LeadershipOptions, times: LeaseTimes, clock: Clock) {
    this.grants = grants;
    this.options = options;
    this.times = times;
    this.clock = clock;
    // Set up first: `stop` may be called during `onGained`.
    this.stopped = new Promise((resolve) =>
      this.stopping.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    this.sought = this.seek();
  }

  get leading(): boolean {
    return this.lease?.valid() ?? false;
  }

  private async seek(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const lease = await Lease.take(this.grants, this.times, this.clock);
        if (lease !== undefined) await this.hold(lease);
      } catch {
        // The store cannot answer, or a callback failed; try again.
      }
      await this.clock.delay(this.times.renewMs / 2, signal);
    }
  }

  private async hold(lease: Lease<number>): Promise<void> {
    try {
      if (!lease.valid() || this.stopping.signal.aborted) return;
      this.lease = lease;
      try {
        await this.options.onGained(lease.grant);
        await Promise.race([lease.lost, this.stopped]);
      } finally {
        this.lease = undefined;
        await this.options.onLost();
      }
    } finally {
      await lease.release();
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.sought;
  }
}

/** @param grantsOf grants the leases of a name; a grant is its term */
export const leasedLeaderships = (
  grantsOf: (name: string) => Grants<number>,
  times: LeaseTimes,
  clock: Clock,
): Leaderships => ({
  seek: (options) => new LeasedLeadership(grantsOf(options.name), options, times, clock),
});

export const WORKER_LEASE: LeaseTimes = BUDGETS.leases.worker;
