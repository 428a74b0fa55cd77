/** Rate limits: what a user may do how often. Counted wherever it is told. */

import type { Limiter, LimiterFactory, Rate } from '../coordination/port.ts';
import type { Actor } from '../schemas/actor.ts';
import { type LimitShown, type ParleyError, parleyError } from '../schemas/errors.ts';

/** `count` per `seconds`; `undefined`: no limit. */
export type Limit = Rate | undefined;

/** The limits that commands can name as their own. */
export type CommandBucket = 'send' | 'reaction' | 'channelCreate' | 'dmCreate';

export interface LimitConfig {
  readonly send: Limit;
  readonly reaction: Limit;
  readonly channelCreate: Limit;
  readonly dmCreate: Limit;
  readonly login: Limit;
  readonly register: Limit;
  readonly global: Limit;
  /** Of bots, where they are given their own. */
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

/** What a client is told when a limit is used up. */
export const limitedError = (taken: Taken): ParleyError =>
  parleyError('rateLimited', { retryAfter: taken.resetAfter, global: taken.scope === 'global', limit: taken });

export class Limits {
  private readonly send: Bucket | undefined;
  private readonly botSend: Bucket | undefined;
  private readonly reaction: Bucket | undefined;
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
    this.channelCreate = bucket('channel-create', config.channelCreate);
    this.dmCreate = bucket('dm-create', config.dmCreate);
    this.global = bucket('global', config.global, 'global');
    this.botGlobal = bucket('bot-global', config.botGlobal, 'global');
    this.loginBucket = bucket('login', config.login);
    this.registerBucket = bucket('register', config.register);
  }

  /** Everything a user does, whichever way it comes. */
  everything(actor: Actor): Promise<Taken> | undefined {
    const from = actor.kind === 'bot' ? this.botGlobal : this.global;
    return from && take(from, actor.userId);
  }

  /** A command's own limit; `undefined` where it is off. */
  command(actor: Actor, bucket: CommandBucket, key: string): Promise<Taken> | undefined {
    const from = bucket === 'send' && actor.kind === 'bot' ? this.botSend : this[bucket];
    return from && take(from, key);
  }

  /** Attempts to sign in, per account and address. */
  login(username: string, address: string): Promise<Taken> | undefined {
    return this.loginBucket && take(this.loginBucket, `${username.toLowerCase()} ${address}`);
  }

  register(address: string): Promise<Taken> | undefined {
    return this.registerBucket && take(this.registerBucket, address);
  }
}
