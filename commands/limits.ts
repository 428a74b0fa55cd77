/** Rate limits: how often a user may do what. The given limiters keep the counts. */

import type { Counted, Limiter, LimiterFactory } from '../coordination/port.ts';
import type { Actor } from '../schemas/actor.ts';
import { type LimitShown, type ParleyError, parleyError } from '../schemas/errors.ts';
import type { Limits as LimitConfig } from '../schemas/settings.ts';
import { nameKey } from '../schemas/text.ts';

/** The limits that a command can declare as its own. */
export type CommandBucket =
  | 'send'
  | 'reaction'
  | 'pin'
  | 'channelCreate'
  | 'threadCreate'
  | 'threadMember'
  | 'dmCreate'
  | 'relationship'
  | 'report'
  | 'guildCreate'
  | 'guildJoin'
  | 'inviteCreate'
  | 'applicationCreate'
  | 'profile'
  | 'notifications';

export interface Taken extends LimitShown {
  readonly allowed: boolean;
}

interface Bucket {
  readonly name: string;
  readonly count: number;
  readonly limiter: Limiter;
  readonly scope: 'user' | 'global';
}

const shownBy = ({ name, count, scope }: Bucket, { allowed, remaining, resetMs }: Counted): Taken => ({
  allowed,
  bucket: name,
  limit: count,
  remaining,
  resetAfter: resetMs / 1000,
  scope,
});

const take = async (bucket: Bucket, key: string): Promise<Taken> => shownBy(bucket, await bucket.limiter.take(key));

/** What a client learns when a limit is used up. */
export const limitedError = (taken: Taken): ParleyError =>
  parleyError('rateLimited', { retryAfter: taken.resetAfter, global: taken.scope === 'global', limit: taken });

/** `channelCreate` is counted and shown as `channel-create`. */
const nameOf = (setting: string): string => setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const isGlobal = (setting: string): boolean => setting === 'global' || setting === 'botGlobal';

type Buckets = { readonly [Setting in keyof LimitConfig]?: Bucket };

/** No setting of the operator's: those who manage a channel say how long. */
const SLOWMODE = { count: 1, seconds: 1 };

export class Limits {
  private readonly buckets: Buckets;
  private readonly slow: Limiter;

  constructor(config: LimitConfig, limiter: LimiterFactory) {
    const limited = Object.entries(config).flatMap(([setting, limit]) => {
      if (limit === undefined) return [];
      const name = nameOf(setting);
      const scope = isGlobal(setting) ? 'global' : 'user';
      return [[setting, { name, count: limit.count, scope, limiter: limiter(name, limit) } satisfies Bucket] as const];
    });
    this.buckets = Object.fromEntries(limited);
    this.slow = limiter('slowmode', SLOWMODE);
  }

  /** Counts everything a user does, over any transport. */
  everything({ kind, userId }: Actor): Promise<Taken> | undefined {
    return this.take(kind === 'bot' ? 'botGlobal' : 'global', userId);
  }

  /** Counts against a command's own limit; `undefined` where that is off. */
  command({ kind }: Actor, bucket: CommandBucket, key: string): Promise<Taken> | undefined {
    return this.take(bucket === 'send' && kind === 'bot' ? 'botSend' : bucket, key);
  }

  /**
   * Counts a message in a channel with slow mode.
   * @param seconds until the person's next
   * @returns seconds that they still have to wait; `undefined` if they need not
   */
  async slowmode(channelId: string, userId: string, seconds: number): Promise<number | undefined> {
    const { allowed, resetMs } = await this.slow.take(`${channelId} ${userId} ${seconds}`, seconds);
    return allowed ? undefined : resetMs / 1000;
  }

  /**
   * Counts sign-in attempts: those from an address, and those for an account from that address, however its name is
   * spelt.
   * @param address as `addressKey` gives it
   */
  async login(username: string, address: string): Promise<Taken | undefined> {
    const ofAddress = await this.take('loginAddress', address);
    if (ofAddress?.allowed === false) return ofAddress;
    return this.take('login', `${nameKey(username)} ${address}`);
  }

  /**
   * @param address as `addressKey` gives it
   * @param early whether the installation is new, and people come together
   */
  register(address: string, early: boolean): Promise<Taken> | undefined {
    const isOther = early && this.buckets.register !== undefined && this.buckets.registerEarly !== undefined;
    return this.take(isOther ? 'registerEarly' : 'register', address);
  }

  /** Counts the sessions a user begins. */
  identify(userId: string): Promise<Taken> | undefined {
    return this.take('identify', userId);
  }

  /** Counts the lists of members that a user asks for in a guild. */
  memberList(userId: string, guildId: string): Promise<Taken> | undefined {
    return this.take('memberList', `${userId} ${guildId}`);
  }

  /** How many sessions a user may still begin; `undefined` where that is not limited. */
  async identifiesLeft(userId: string): Promise<Taken | undefined> {
    const bucket = this.buckets.identify;
    return bucket && shownBy(bucket, await bucket.limiter.look(userId));
  }

  private take(setting: keyof LimitConfig, key: string): Promise<Taken> | undefined {
    const bucket = this.buckets[setting];
    return bucket && take(bucket, key);
  }
}
