/**
 * The session registry in Redis. Each person is a hash of counts by gateway and device. Each gateway holds a lease, and
 * its entries count only while it does.
 */

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { type Redis, script } from '../../stores/redis/connection.ts';
import type { Connected, Device, SessionRegistry } from '../port.ts';
import writeCounts from './session-counts.lua';

const { tellMs, together, leaseSeconds, renewMs, round, keptSeconds } = BUDGETS.sessions;

const WRITE = script(writeCounts);

interface Sessions {
  count: number;
  since: number;
}

export interface SessionRegistryOptions {
  readonly redis: Redis;
  /** The installation's, the prefix of every key. */
  readonly namespace: string;
  readonly clock: Clock;
}

class RedisSessionRegistry implements SessionRegistry {
  private readonly redis: Redis;
  private readonly namespace: string;
  private readonly clock: Clock;
  private readonly gateway = randomBytes(6).toString('hex');
  private readonly people = new Map<string, Map<Device, Sessions>>();
  /** People whose changes are not yet in Redis. */
  private readonly changed = new Set<string>();
  private round: Iterator<string> = [][Symbol.iterator]();
  private telling = false;
  private readonly endChores: readonly (() => void)[];

  constructor({ redis, namespace, clock }: SessionRegistryOptions) {
    this.redis = redis;
    this.namespace = namespace;
    this.clock = clock;
    this.endChores = [clock.every(tellMs, () => this.tell()), clock.every(renewMs, () => this.renew())];
    void this.renew();
  }

  started(userId: string, device: Device): void {
    const devices = this.people.get(userId) ?? new Map<Device, Sessions>();
    this.people.set(userId, devices);
    const sessions = devices.get(device);
    if (sessions === undefined || sessions.count === 0) devices.set(device, { count: 1, since: this.clock.wallTime() });
    else sessions.count += 1;
    this.changed.add(userId);
  }

  ended(userId: string, device: Device): void {
    const sessions = this.people.get(userId)?.get(device);
    if (sessions === undefined || sessions.count === 0) return;
    sessions.count -= 1;
    this.changed.add(userId);
  }

  async of(userId: string): Promise<readonly Connected[]> {
    try {
      const fields = await this.redis.run((client) => client.hgetall(this.keyOf(userId)));
      const found = Object.entries(fields).map(([field, value]) => connected(field, value));
      const gateways = [...new Set(found.map(({ gateway }) => gateway))];
      const alive = new Set<string>();
      await Promise.all(
        gateways.map(async (gateway) => {
          if ((await this.redis.run((client) => client.exists(this.leaseOf(gateway)))) === 1) alive.add(gateway);
        }),
      );
      const left = Object.keys(fields).filter((field) => !alive.has(field.split('/')[0]!));
      // A gateway that finds its lease lost writes all its entries again.
      if (left.length > 0) await this.redis.run((client) => client.hdel(this.keyOf(userId), ...left));
      return found.filter(({ gateway }) => alive.has(gateway));
    } catch {
      return [];
    }
  }

  async stop(): Promise<void> {
    for (const end of this.endChores) end();
    await this.redis.run((client) => client.del(this.leaseOf(this.gateway))).catch(() => {});
  }

  private keyOf(userId: string): string {
    return `${this.namespace}:sessions:${userId}`;
  }

  private leaseOf(gateway: string): string {
    return `${this.namespace}:gateway:${gateway}`;
  }

  private async renew(): Promise<void> {
    try {
      const lease = this.leaseOf(this.gateway);
      const former = await this.redis.run((client) => client.set(lease, '1', 'EX', leaseSeconds, 'GET'));
      // The lease is lost because Redis lost data or was gone too long, so other entries may be lost too.
      if (former === null) for (const userId of this.people.keys()) this.changed.add(userId);
      for (let n = Math.ceil(this.people.size / round); n > 0; n -= 1) this.changeNext();
    } catch {
      // Tries again at the next renewal.
    }
  }

  private changeNext(): void {
    let next = this.round.next();
    if (next.done) {
      this.round = this.people.keys();
      next = this.round.next();
    }
    if (!next.done) this.changed.add(next.value);
  }

  private async tell(): Promise<void> {
    if (this.telling || !this.redis.connected) return;
    this.telling = true;
    try {
      while (this.changed.size > 0) {
        const some = [...this.changed].slice(0, together);
        await Promise.all(some.map((userId) => this.write(userId)));
      }
    } catch {
      // Entries not written stay in `changed`.
    } finally {
      this.telling = false;
    }
  }

  private async write(userId: string): Promise<void> {
    const devices = this.people.get(userId);
    this.changed.delete(userId);
    if (devices === undefined) return;
    const args = [...devices].flatMap(([device, { count, since }]) => [
      `${this.gateway}/${device}`,
      count === 0 ? '' : `${count} ${since}`,
    ]);
    try {
      await this.redis.evaluate(WRITE, [this.keyOf(userId)], [keptSeconds, ...args]);
    } catch (error) {
      this.changed.add(userId);
      throw error;
    }
    // Keep ended devices until Redis knows; new sessions may have begun meanwhile.
    for (const [device, { count }] of devices) if (count === 0 && !this.changed.has(userId)) devices.delete(device);
    if (devices.size === 0) this.people.delete(userId);
  }
}

const connected = (field: string, value: string): Connected => {
  const [gateway = '', device = 'other'] = field.split('/');
  const [sessions, since] = value.split(' ').map(Number);
  return { gateway, device: device as Device, sessions: sessions ?? 0, since: since ?? 0 };
};

/** Starts at once; end it with `stop`. */
export const redisSessionRegistry = (options: SessionRegistryOptions): SessionRegistry =>
  new RedisSessionRegistry(options);
