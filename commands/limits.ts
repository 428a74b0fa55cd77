/** Rate limits: how often a user may do what. The given limiters keep the counts. */

import type { Limiter, LimiterFactory, Rate } from '../coordination/port.ts';
import type { Actor } from '../schemas/actor.ts';
import { type LimitShown, type ParleyError, parleyError } from '../schemas/errors.ts';

/** `count` per `seconds`; `undefined` means no limit. */
export type Limit = Rate | undefined;

/** The limits that a command can declare as its own. */
export type CommandBucket = 'send' | 'reaction' | 'pin' | 'channelCreate' | 'dmCreate';

export interface LimitConfig {
  readonly send: Limit;
  readonly reaction: Limit;
  readonly pin: Limit;
  readonly channelCreate: Limit;
  readonly dmCreate: Limit;
  readonly login: Limit;
  readonly register: Limit;
  readonly global: Limit;
  /** Limits of bots, where they differ. */
  readonly botSend: Limit;
  readonly botGlobal: Limit;
}

export interface Taken extends LimitShown {
  readonly allowed: boolean;
}

interface Bucket {
  readonly name: string;
  readonly count: number;
  readonly limiter: Limiter;
  readonly scope: 'user' | 'global';
}

const take = async ({ name, count, scope, limiter }: Bucket, key: string): Promise<Taken> => {
  const { allowed, remaining, resetMs } = await limiter.take(key);
  return { allowed, bucket: name, limit: count, remaining, resetAfter: resetMs / 1000, scope };
};

/** What a client learns when a limit is used up. */
export const limitedError = (taken: Taken): ParleyError =>
  parleyError('rateLimited', { retryAfter: taken.resetAfter, global: taken.scope === 'global', limit: taken });

export class Limits {
  private readonly send: Bucket | undefined;
  private readonly botSend: Bucket | undefined;
  private readonly reaction: Bucket | undefined;
  private readonly pin: Bucket | undefined;
  private readonly channelCreate: Bucket | undefined;
  private readonly dmCreate: Bucket | undefined;
  private readonly global: Bucket | undefined;
  private readonly botGlobal: Bucket | undefined;
  private readonly loginBucket: Bucket | undefined;
  private readonly registerBucket: Bucket | undefined;

  constructor(config: LimitConfig, limiter: LimiterFactory) {
    const bucket = (name: string, limit: Limit, scope: Bucket['scope'] = 'user'): Bucket | undefined =>
      limit && { name, count: limit.count, scope, limiter: limiter(name, limit) };
    this.send = bucket('send', config.send);
    this.botSend = bucket('bot-send', config.botSend);
    this.reaction = bucket('reaction', config.reaction);
    this.pin = bucket('pin', config.pin);
    this.channelCreate = bucket('channel-create', config.channelCreate);
    this.dmCreate = bucket('dm-create', config.dmCreate);
    this.global = bucket('global', config.global, 'global');
    this.botGlobal = bucket('bot-global', config.botGlobal, 'global');
    this.loginBucket = bucket('login', config.login);
    this.registerBucket = bucket('register', config.register);
  }

  /** Counts everything a user does, over any transport. */
  everything(actor: Actor): Promise<Taken> | undefined {
    const from = actor.kind === 'bot' ? this.botGlobal : this.global;
    return from && take(from, actor.userId);
  }

  /** Counts against a command's own limit; `undefined` where that is off. */
  command(actor: Actor, bucket: CommandBucket, key: string): Promise<Taken> | undefined {
    const from = bucket === 'send' && actor.kind === 'bot' ? this.botSend : this[bucket];
    return from && take(from, key);
  }

  /** Counts sign-in attempts per account and address. */
  login(username: string, address: string): Promise<Taken> | undefined {
    return this.loginBucket && take(this.loginBucket, `${username.toLowerCase()} ${address}`);
  }

  register(address: string): Promise<Taken> | undefined {
    return this.registerBucket && take(this.registerBucket, address);
  }
}
