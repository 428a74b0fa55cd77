/** Coordination inside one process: for the embedded profile, and for any number of simulated nodes. */

import type { LRUCache } from 'lru-cache';
import type { Clock } from '../schemas/clock.ts';
import { lru } from '../schemas/lru.ts';
import { type Grants, LEADERSHIP_LEASE, Lease, leasedLeaderships, WORKER_LEASE } from './lease.ts';
import { memoryLimiter } from './limiter.ts';
import {
  type Checkpoints,
  type Connected,
  type Device,
  type Leaderships,
  type LimiterFactory,
  NoWorkerLeft,
  type SessionRegistry,
  type SharedWrites,
  type Workers,
} from './port.ts';

export class MemoryCheckpoints implements Checkpoints {
  readonly positions = new Map<string, number>();

  async read(name: string): Promise<number> {
    return this.positions.get(name) ?? 0;
  }

  async write(name: string, position: number): Promise<void> {
    this.positions.set(name, Math.max(position, this.positions.get(name) ?? 0));
  }
}

interface Held {
  /** Number of the lease, counted over all leases ever granted. */
  readonly term: number;
  until: number;
}

/** The list of leases, with the clock that decides when they end. */
class MemoryLeases {
  private readonly clock: Clock;
  private readonly held = new Map<string, Held>();
  private readonly terms = new Map<string, number>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** @returns the term, one higher each time; `undefined` while it is held */
  take(name: string, leaseMs: number): number | undefined {
    const now = this.clock.monotonic();
    if ((this.held.get(name)?.until ?? Number.NEGATIVE_INFINITY) > now) return undefined;
    const term = (this.terms.get(name) ?? 0) + 1;
    this.terms.set(name, term);
    this.held.set(name, { term, until: now + leaseMs });
    return term;
  }

  renew(name: string, term: number, leaseMs: number): boolean {
    const now = this.clock.monotonic();
    const held = this.held.get(name);
    if (held?.term !== term || held.until <= now) return false;
    held.until = now + leaseMs;
    return true;
  }

  release(name: string, term: number): void {
    if (this.held.get(name)?.term === term) this.held.delete(name);
  }
}

/** Most people remembered. The position of the least recent writer beyond this then applies to everyone. */
const REMEMBERED = 100_000;

class MemorySharedWrites implements SharedWrites {
  /** Any forgotten person may have written up to here. */
  private everyone = 0;
  private readonly written: LRUCache<string, number>;

  constructor(remembered: number) {
    this.written = lru(remembered, {
      dispose: (position, _, reason) => {
        if (reason === 'evict') this.everyone = Math.max(this.everyone, position);
      },
    });
  }

  record(userId: string, position: number): void {
    this.written.set(userId, Math.max(position, this.written.peek(userId) ?? 0));
  }

  async of(userId: string): Promise<number> {
    return Math.max(this.everyone, this.written.get(userId) ?? 0);
  }
}

type Sessions = Map<Device, { count: number; since: number }>;

class MemoryRegistry implements SessionRegistry {
  readonly gateway: string;
  readonly people = new Map<string, Sessions>();
  private readonly clock: Clock;
  private readonly all: Map<string, MemoryRegistry>;

  constructor(gateway: string, all: Map<string, MemoryRegistry>, clock: Clock) {
    this.gateway = gateway;
    this.clock = clock;
    this.all = all;
    all.set(gateway, this);
  }

  started(userId: string, device: Device): void {
    const devices: Sessions = this.people.get(userId) ?? new Map();
    this.people.set(userId, devices);
    const sessions = devices.get(device);
    if (sessions === undefined) devices.set(device, { count: 1, since: this.clock.wallTime() });
    else sessions.count += 1;
  }

  ended(userId: string, device: Device): void {
    const devices = this.people.get(userId);
    const sessions = devices?.get(device);
    if (devices === undefined || sessions === undefined) return;
    sessions.count -= 1;
    if (sessions.count === 0) devices.delete(device);
    if (devices.size === 0) this.people.delete(userId);
  }

  async of(userId: string): Promise<readonly Connected[]> {
    return [...this.all.values()].flatMap(({ gateway, people }) =>
      [...(people.get(userId) ?? [])].map(([device, { count, since }]) => ({
        gateway,
        device,
        sessions: count,
        since,
      })),
    );
  }

  async stop(): Promise<void> {
    this.all.delete(this.gateway);
  }
}

/** One node's access to coordination. */
export interface MemoryNode {
  readonly leaderships: Leaderships;
  readonly workers: Workers;
  readonly checkpoints: MemoryCheckpoints;
  readonly sharedWrites: SharedWrites;
  readonly registry: SessionRegistry;
  readonly limiter: LimiterFactory;
}

export interface MemoryCoordinationOptions {
  /** The clock that decides when leases end. */
  readonly clock: Clock;
  /** Number of workers. */
  readonly workers: number;
  /** Number of people whose writes are remembered. Default 100,000. */
  readonly remembered?: number;
}

export class MemoryCoordination {
  readonly checkpoints = new MemoryCheckpoints();
  private readonly options: MemoryCoordinationOptions;
  private readonly leases: MemoryLeases;
  private readonly sharedWrites: SharedWrites;
  private readonly gateways = new Map<string, MemoryRegistry>();
  private readonly limiters = new Map<string, ReturnType<LimiterFactory>>();
  private nodes = 0;

  constructor(options: MemoryCoordinationOptions) {
    this.options = options;
    this.leases = new MemoryLeases(options.clock);
    this.sharedWrites = new MemorySharedWrites(options.remembered ?? REMEMBERED);
  }

  /** @param clock the node's own, if it differs */
  node(clock: Clock = this.options.clock): MemoryNode {
    this.nodes += 1;
    return {
      leaderships: leasedLeaderships((name) => this.grantsOf(name), LEADERSHIP_LEASE, clock),
      workers: { lease: () => this.leaseWorker(clock) },
      checkpoints: this.checkpoints,
      sharedWrites: this.sharedWrites,
      registry: new MemoryRegistry(`gateway-${this.nodes}`, this.gateways, clock),
      limiter: (name, rate) => {
        const limiter = this.limiters.get(name) ?? memoryLimiter(this.options.clock)(name, rate);
        this.limiters.set(name, limiter);
        return limiter;
      },
    };
  }

  private grantsOf(name: string): Grants<number> {
    const { leases } = this;
    return {
      take: async (leaseMs) => leases.take(name, leaseMs),
      renew: async (term, leaseMs) => leases.renew(name, term, leaseMs),
      release: async (term) => leases.release(name, term),
    };
  }

  private async leaseWorker(clock: Clock) {
    const { leases, options } = this;
    const nameOf = (id: number) => `worker ${id}`;
    const grants: Grants<{ readonly id: number; readonly term: number }> = {
      async take(leaseMs) {
        for (let id = 0; id < options.workers; id += 1) {
          const term = leases.take(nameOf(id), leaseMs);
          if (term !== undefined) return { id, term };
        }
        return undefined;
      },
      renew: async ({ id, term }, leaseMs) => leases.renew(nameOf(id), term, leaseMs),
      release: async ({ id, term }) => leases.release(nameOf(id), term),
    };
    const lease = await Lease.take(grants, WORKER_LEASE, clock);
    if (lease === undefined) throw new NoWorkerLeft(`All ${options.workers} worker ids are taken.`);
    return { id: lease.grant.id, valid: () => lease.valid(), release: () => lease.release() };
  }
}
