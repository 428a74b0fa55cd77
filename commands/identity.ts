/** Registering and signing in. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { idempotencyKey } from '../domain/recent-keys.ts';
import { register as decideRegister, type UserState } from '../domain/user.ts';
import { fieldError, type ParleyError, parleyError } from '../schemas/errors.ts';
import { userStream } from '../schemas/streams.ts';
import { type CommandDeps, viewsHold } from './command.ts';
import { type Limits, limitedError } from './limits.ts';
import { Turns } from './turns.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly globalName: string | null;
}

export interface Caller {
  /** As `addressKey` gives it. */
  readonly address: string;
  readonly correlationId: string;
  /** Whether the caller has hung up. */
  readonly isGone: () => boolean;
  /** The client's id for the request. */
  readonly key?: string | null;
}

export interface SignedIn {
  readonly userId: string;
  readonly token: string;
}

type Deps = Pick<
  CommandDeps,
  'log' | 'vault' | 'tokens' | 'mailboxes' | 'ids' | 'derivedIds' | 'now' | 'views' | 'bounds'
>;

/** Each takes 20 ms of a thread of the pool that also resolves names and reads files: half of it. */
const HASHES_AT_ONCE = 2;

export interface NewUser {
  readonly userId: string;
  readonly username: string;
  /** The unique form of the name; defaults to the name itself. */
  readonly reservedAs?: string;
  readonly globalName: string | null;
  readonly kind: 'person' | 'imported';
  readonly correlationId: string;
  /** Original time of an imported name's first line, in milliseconds since 1970. */
  readonly time?: number;
}

const taken = fieldError(['username'], 'USERNAME_ALREADY_TAKEN', 'This username is already taken.');
const tooMany = parleyError('tooManyLogins', { retryAfter: 1 });
const badLogin = fieldError(['login'], 'INVALID_LOGIN', 'Login or password is invalid.');

export class Identity {
  private readonly deps: Deps;
  private readonly limits: Limits;
  private readonly open: boolean;
  private readonly hashing: Turns;
  /** Users whose registration is in progress in this process: their reservations are not taken over. */
  private readonly underWay = new Set<string>();

  constructor(deps: Deps, limits: Limits, open: boolean) {
    this.deps = deps;
    this.limits = limits;
    this.open = open;
    const { logins, loginsOfAddress } = deps.bounds;
    this.hashing = new Turns({ atOnce: HASHES_AT_ONCE, waiting: logins, waitingOfKey: loginsOfAddress });
  }

  async register(credentials: Credentials, caller: Caller): Promise<Either<ParleyError, SignedIn>> {
    if (!this.open) return either.left(parleyError('registrationClosed'));
    const limit = await this.limits.register(caller.address);
    if (limit?.allowed === false) return either.left(limitedError(limit));
    const { deps } = this;
    const { key = null } = caller;
    const userId = key === null ? deps.ids(deps.now()) : await this.idOf(key);
    if (key !== null && (await deps.log.streamHead(userStream(userId))).sequence > 0)
      return this.registeredBefore(userId, credentials, caller);
    const { username, globalName } = credentials;
    const user: NewUser = { userId, username, globalName, kind: 'person', correlationId: caller.correlationId };
    // Two requests with one key at once: the second one's password must not replace the first one's.
    if (this.underWay.has(userId)) return either.left(parleyError('unavailable', { retryAfter: 1 }));
    const created = await this.create(user, async () => {
      const { address, isGone } = caller;
      const hashed = await this.hashing.take(address, isGone, async () => {
        await deps.vault.setPassword(userId, credentials.password);
        return true;
      });
      return hashed === undefined ? either.left(tooMany) : either.right(undefined);
    });
    if (either.isLeft(created)) return created;
    return either.right({ userId, token: await deps.tokens.issue(userId) });
  }

  private idOf(key: string): Promise<string> {
    return this.deps.derivedIds.id(idempotencyKey('', 'user.register', key), userStream);
  }

  /** A repeat: whoever sends it must know the password of the account that the first one made. */
  private async registeredBefore(
    userId: string,
    { username, password }: Credentials,
    caller: Caller,
  ): Promise<Either<ParleyError, SignedIn>> {
    const holder = await this.deps.vault.usernameHolder(username);
    if (holder?.userId !== userId) return either.left(parleyError('keyReused'));
    const signedIn = await this.login(username, password, caller);
    return either.isLeft(signedIn) && signedIn.left === badLogin ? either.left(parleyError('keyReused')) : signedIn;
  }

  async login(username: string, password: string, caller: Caller): Promise<Either<ParleyError, SignedIn>> {
    const limit = await this.limits.login(username, caller.address);
    if (limit?.allowed === false) return either.left(limitedError(limit));
    const { vault, tokens } = this.deps;
    const holder = await vault.usernameHolder(username);
    const userId = holder?.userId;
    const right = await this.hashing.take(caller.address, caller.isGone, () => vault.verifyPassword(userId, password));
    if (right === undefined) return either.left(tooMany);
    if (!right || userId === undefined) return either.left(badLogin);
    return either.right({ userId, token: await tokens.issue(userId) });
  }

  /** Reserves the name, creates the key and everything else the registration needs, then appends the registration. */
  async create(
    user: NewUser,
    beforehand: () => Promise<Either<ParleyError, void>>,
  ): Promise<Either<ParleyError, void>> {
    const { deps } = this;
    const name = user.reservedAs ?? user.username;
    this.underWay.add(user.userId);
    try {
      if (!(await this.reserve(name, user.userId))) return either.left(taken);
      const [ready] = await Promise.all([beforehand(), deps.vault.createKey(user.userId)]);
      if (either.isLeft(ready)) {
        await deps.vault.releaseUsername(name, user.userId);
        return ready;
      }
      const { userId, kind, correlationId, time } = user;
      const profile = { username: user.username, globalName: user.globalName };
      const result = await deps.mailboxes.run({
        stream: userStream(userId),
        cause: { actor: userId, key: `${userId}:user.register`, correlationId, causationId: null, traceparent: null },
        prepare: async () => either.right(undefined),
        decide: (state: UserState) =>
          decideRegister({ userId, kind, ownerId: null, profile, ...(time === undefined ? {} : { time }) }, state),
      });
      if (either.isLeft(result)) {
        // If the registration is stored after all, the name is this person's: the next one who wants it looks.
        if (result.left.name !== 'outcomeUnknown') await deps.vault.releaseUsername(name, userId);
        return result;
      }
      await deps.vault.confirmUsername(name, userId);
      await viewsHold(deps, result.right.position);
      return either.right(undefined);
    } finally {
      this.underWay.delete(user.userId);
    }
  }

  /** Takes over a reservation whose registration was never stored because the server stopped in between. */
  private async reserve(username: string, userId: string): Promise<boolean> {
    const { vault, log } = this.deps;
    const holder = await vault.reserveUsername(username, userId);
    if (holder.userId === userId) return true;
    if (holder.confirmed || this.underWay.has(holder.userId)) return false;
    if ((await log.streamHead(userStream(holder.userId))).sequence > 0) {
      await vault.confirmUsername(username, holder.userId);
      return false;
    }
    return (await vault.takeOverUsername(username, holder.userId, userId))?.userId === userId;
  }
}
