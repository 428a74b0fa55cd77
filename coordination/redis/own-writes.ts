/** How far each person has written, shared through Redis, which may lose data or be gone. */

import type { Clock } from '../../schemas/clock.ts';
import { Batcher, oneAnswer } from '../../stores/batcher.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { type Redis, script } from '../../stores/redis/connection.ts';
import { classify } from '../../stores/redis/failures.ts';
import type { SharedWrites } from '../port.ts';
import raise from './raise.lua';

/** By then the views have the write, or the nodes have long reported that they are not ready. */
const REMEMBERED_SECONDS = 3600;
const { retryMs, mistrustMs, batch } = BUDGETS.ownWrites;

const RAISE = script(raise);

export interface SharedWritesOptions {
  readonly redis: Redis;
  /** The installation's, the prefix of every key. */
  readonly namespace: string;
  /** Position of the log's last event, the answer while Redis is mistrusted. */
  readonly logHead: () => Promise<number>;
  readonly clock: Clock;
}

interface Written {
  readonly userId: string;
  readonly position: number;
}

class RedisSharedWrites implements SharedWrites {
  private readonly redis: Redis;
  private readonly namespace: string;
  private readonly logHead: () => Promise<number>;
  private readonly clock: Clock;
  /** The highest position not yet in Redis; 0 if there is none. */
  private untold = 0;
  private retrying = false;
  private mistrustedUntil = Number.NEGATIVE_INFINITY;
  private readonly records: Batcher<Written, void>;

  constructor({ redis, namespace, logHead, clock }: SharedWritesOptions) {
    this.redis = redis;
    this.namespace = namespace;
    this.logHead = logHead;
    this.clock = clock;
    this.records = new Batcher({
      gather: 'previous',
      most: batch,
      bytesOf: ({ userId, position }) => this.keyOf(userId).length + String(position).length,
      commit: oneAnswer((written) => this.raise(written)),
      classify,
    });
  }

  async record(userId: string, position: number): Promise<void> {
    try {
      await this.records.add({ userId, position });
    } catch {
      this.mistrust();
      this.untold = Math.max(this.untold, position);
      this.tellLater();
    }
  }

  async of(userId: string): Promise<number> {
    try {
      if (this.clock.monotonic() < this.mistrustedUntil) return await this.anything();
      const [own, everyone] = await Promise.all([
        this.redis.run((client) => client.get(this.keyOf(userId))),
        this.redis.run((client) => client.get(this.everyone)),
      ]);
      if (everyone === null) return await this.afterForgetting();
      return Math.max(Number(own ?? 0), Number(everyone), this.untold);
    } catch {
      this.mistrust();
      return this.anything();
    }
  }

  /** In a cluster the keys of two users may be on different servers. */
  private async raise(written: readonly Written[]): Promise<void> {
    const calls = this.redis.clustered ? written.map((one) => [one]) : [written];
    await Promise.all(
      calls.map((some) => {
        const keys = some.map(({ userId }) => this.keyOf(userId));
        return this.redis.evaluate(RAISE, keys, [REMEMBERED_SECONDS, ...some.map(({ position }) => position)]);
      }),
    );
  }

  private keyOf(userId: string): string {
    return `${this.namespace}:wrote:${userId}`;
  }

  /** Key of a position that anyone may have written up to. If it is missing, Redis has lost all writes. */
  private get everyone(): string {
    return `${this.namespace}:wrote`;
  }

  private mistrust(): void {
    this.mistrustedUntil = this.clock.monotonic() + mistrustMs;
  }

  private async afterForgetting(): Promise<number> {
    const head = await this.anything();
    await this.redis.evaluate(RAISE, [this.everyone], [0, head]);
    return head;
  }

  /**
   * The end of the log, which no write exceeds. If the log cannot answer either, the largest number: no view has
   * reached it.
   */
  private anything(): Promise<number> {
    return this.logHead().catch(() => Number.MAX_SAFE_INTEGER);
  }

  /** Records one position for everyone who wrote meanwhile. Others wait a little for writes that are not theirs. */
  private tellLater(): void {
    if (this.retrying) return;
    this.retrying = true;
    const retry = async () => {
      const position = this.untold;
      try {
        await this.redis.evaluate(RAISE, [this.everyone], [0, position]);
        if (this.untold === position) this.untold = 0;
      } catch {
        this.mistrust();
      }
      if (this.untold > 0) this.clock.setTimer(retryMs, retry);
      else this.retrying = false;
    };
    this.clock.setTimer(retryMs, retry);
  }
}

export const redisSharedWrites = (options: SharedWritesOptions): SharedWrites => new RedisSharedWrites(options);
