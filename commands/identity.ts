/** Registering and signing in. */

import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { type Decision, nothing } from '../domain/decider.ts';
import { idempotencyKey } from '../domain/recent-keys.ts';
import { register as decideRegister, keepAccount, signOut, type UserState } from '../domain/user.ts';
import { isSignedIn } from '../projections/views/guild-views/access.ts';
import { fieldError, type ParleyError, parleyError, StoreUnavailable } from '../schemas/errors.ts';
import { GOOD_STANDING, mayAct, NEVER_SIGNED_OUT, type SignedOut, type Standing } from '../schemas/events/user.ts';
import { FairQueue } from '../schemas/fair-queue.ts';
import type { Config } from '../schemas/settings.ts';
import { userStream } from '../schemas/streams.ts';
import { lookAlikes } from '../schemas/text.ts';
import type { InformingLogger } from '../telemetry/logger.ts';
import { isGood, type Undo, type Verified } from '../vault/port.ts';
import { type CommandDeps, putBack, repeatable, viewsHold } from './command.ts';
import { type Limits, limitedError } from './limits.ts';
import type { Outcome } from './mailbox.ts';
import type { Cause } from './new-events.ts';

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
  /** See `Identity.setupCode`. */
  readonly setupCode?: string | null;
  /** The code of a registration invite. */
  readonly invite?: string | null;
  /** What the client says it is. */
  readonly device?: string | undefined;
}

export interface SignedIn {
  readonly userId: string;
  readonly token: string;
  /** When the token expires, in milliseconds since 1970. */
  readonly expiresAt: number;
}

type Deps = Pick<
  CommandDeps,
  'log' | 'vault' | 'tokens' | 'mailboxes' | 'ids' | 'names' | 'now' | 'views' | 'shared' | 'bounds'
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

/** How long an installation counts as new, from its first event. */
export const EARLY_MS = 3 * 86_400_000;

const byInvite = parleyError('registrationClosed', {
  message: 'People register here by invite: send the code of a registration invite as invite',
});
const badInvite = parleyError('registrationClosed', {
  message: 'This registration invite is unknown, used up or has expired',
});
const othersFirst = parleyError('registrationClosed', { message: 'Somebody else has registered as the first person' });

const taken = fieldError(['username'], 'USERNAME_ALREADY_TAKEN', 'This username is already taken.');
export const wrongPassword = fieldError(['password'], 'PASSWORD_DOES_NOT_MATCH', 'The password is wrong.');
/** Nothing was changed, so there is nothing to put back. */
const KEEP: Undo = async () => {};
const NOBODY: Verified = { userId: '' };
export const tooMany = parleyError('tooManyLogins', { retryAfter: 1 });
const badLogin = fieldError(['login'], 'INVALID_LOGIN', 'Login or password is invalid.');

export class Identity {
  private readonly deps: Deps;
  private readonly limits: Limits;
  private readonly registration: Config['registration'];
  private readonly logger: Pick<InformingLogger, 'info'>;
  private readonly hashing: FairQueue;
  /** Time of the log's first event. */
  private begun: number | undefined;
  /** Users whose registration is in progress in this process: their reservations are not taken over. */
  private readonly underWay = new Set<string>();

  constructor(deps: Deps, limits: Limits, registration: Config['registration'], logger: Pick<InformingLogger, 'info'>) {
    this.logger = logger;
    this.deps = deps;
    this.limits = limits;
    this.registration = registration;
    const { logins, loginsOfAddress } = deps.bounds;
    this.hashing = new FairQueue({ atOnce: HASHES_AT_ONCE, waiting: logins, waitingPerAddress: loginsOfAddress });
  }

  async register(credentials: Credentials, caller: Caller): Promise<Either<ParleyError, SignedIn>> {
    const { deps } = this;
    const { correlationId, address } = caller;
    const isOpen = this.registration === 'open';
    const isFirst = !isOpen && (await this.isSetupCode(caller.setupCode ?? null));
    const invite = isOpen || isFirst ? undefined : await this.goodInvite(caller.invite ?? null);
    if (!isOpen && !isFirst && invite === undefined) return either.left(this.notLetIn(caller));
    const limit = await this.limits.register(address, await this.isEarly());
    if (limit?.allowed === false) {
      this.logger.info(
        { correlationId, address, limit: limit.bucket },
        'registration refused: too many of this address',
      );
      const message = `Too many people have registered from this address: ${limit.limit} is the limit`;
      return either.left({ ...limitedError(limit), message });
    }
    // Of all who use the code at once, one registers.
    const key = isFirst ? 'once' : (caller.key ?? null);
    const registering = key === null ? undefined : idempotencyKey('', isFirst ? 'user.set-up' : 'user.register', key);
    const named = await deps.names.id({ key: registering, correlationId });
    if (either.isLeft(named)) return either.left(repeatable(named.left, key));
    const userId = named.right;
    if (key !== null && (await deps.log.streamHead(userStream(userId))).sequence > 0)
      return this.registeredBefore(userId, credentials, caller, isFirst ? othersFirst : parleyError('keyReused'));
    const { username, globalName } = credentials;
    const user: NewUser = { userId, username, globalName, kind: 'person', correlationId };
    // Two requests with one key at once: the second one's password must not replace the first one's.
    if (this.underWay.has(userId)) return either.left(parleyError('unavailable', { retryAfter: 1 }));
    const created = await this.create(user, async () => {
      if (invite !== undefined && !(await deps.vault.useCode(invite, userId, deps.now())))
        return either.left(badInvite);
      const isSet = await this.setsPassword(userId, credentials.password, caller);
      return isSet ? either.right(undefined) : either.left(tooMany);
    });
    if (either.isLeft(created)) {
      if (invite !== undefined && created.left.name !== 'outcomeUnknown') await deps.vault.giveBackCode(invite, userId);
      return either.left(repeatable(created.left, key));
    }
    this.logger.info({ correlationId, address, user: userId }, 'registered');
    const { generation } = NEVER_SIGNED_OUT;
    return either.right({ userId, ...(await deps.tokens.issue(userId, generation, undefined, caller.device)) });
  }

  private notLetIn({ invite }: Caller): ParleyError {
    if (this.registration === 'closed') return parleyError('registrationClosed');
    return (invite ?? null) === null ? byInvite : badInvite;
  }

  /**
   * Lets the first person register although registration is closed. The same on every node and after a restart.
   * `undefined` once somebody administers the server.
   */
  async setupCode(): Promise<string | undefined> {
    const { vault, views } = this.deps;
    if ((await views.guilds.administrator()) !== undefined) return undefined;
    return createHmac('sha256', await vault.signingSecret())
      .update('the first person')
      .digest('base64url');
  }

  /** @returns the code, if it still admits somebody */
  private async goodInvite(code: string | null): Promise<string | undefined> {
    if (code === null || this.registration !== 'invited') return undefined;
    const known = await this.deps.vault.code(code);
    return known?.kind === 'registration' && isGood(known, this.deps.now()) ? code : undefined;
  }

  private async isSetupCode(given: string | null): Promise<boolean> {
    if (given === null) return false;
    const right = Buffer.from((await this.setupCode()) ?? '');
    const bytes = Buffer.from(given);
    return right.length > 0 && right.length === bytes.length && timingSafeEqual(right, bytes);
  }

  private async isEarly(): Promise<boolean> {
    const { log, now } = this.deps;
    this.begun ??= (await log.readAll({ after: 0, limit: 1 })).events[0]?.time;
    return this.begun === undefined || now() - this.begun < EARLY_MS;
  }

  /**
   * A repeat: whoever sends it must know the password of the account that the first one made.
   * @param refusal of anybody else
   */
  private async registeredBefore(
    userId: string,
    { username, password }: Credentials,
    caller: Caller,
    refusal: ParleyError,
  ): Promise<Either<ParleyError, SignedIn>> {
    const holder = await this.deps.vault.usernameHolder(username);
    if (holder?.userId !== userId) return either.left(refusal);
    const signedIn = await this.login(username, password, caller);
    return either.isLeft(signedIn) && signedIn.left === badLogin ? either.left(refusal) : signedIn;
  }

  async login(username: string, password: string, caller: Caller): Promise<Either<ParleyError, SignedIn>> {
    const limit = await this.limits.login(username, caller.address);
    if (limit?.allowed === false) return either.left(limitedError(limit));
    const { vault, tokens } = this.deps;
    const holder = await vault.usernameHolder(username);
    const userId = holder?.userId;
    // Before the password is looked at: whoever changes it meanwhile ends this sign-in too.
    const before = userId === undefined ? undefined : await this.before(userId, randomUUID(), caller.correlationId);
    if (before !== undefined && either.isLeft(before)) return before;
    const right = await this.checksPassword(userId, password, caller);
    if (right === undefined) return either.left(tooMany);
    if (!right || userId === undefined) {
      // Never the name: it may be a password, typed into the wrong field.
      const { address, correlationId } = caller;
      this.logger.info({ correlationId, address, user: userId ?? null }, 'failed login');
      return either.left(badLogin);
    }
    const { signedOut, standing } = before!.right;
    if (!mayAct(standing)) {
      const kept = await this.keep(userId, caller.correlationId);
      if (either.isLeft(kept)) return kept;
    }
    return either.right({ userId, ...(await tokens.issue(userId, signedOut.generation, undefined, caller.device)) });
  }

  /** Whoever signs in in time keeps an account that was to be deleted. */
  private async keep(userId: string, correlationId: string): Promise<Either<ParleyError, void>> {
    const { now } = this.deps;
    const kept = await this.decided(userId, { key: randomUUID(), correlationId }, (state) =>
      keepAccount({ userId, now: now() }, state),
    );
    if (either.isLeft(kept)) return kept.left.name === 'unauthorized' ? either.left(badLogin) : kept;
    await viewsHold(this.deps, kept.right.position);
    return either.right(undefined);
  }

  /**
   * Checks a password, one of few at a time.
   * @param userId absent: nobody's, which takes as long
   * @returns undefined when too many wait
   */
  checksPassword(userId: string | undefined, password: string, caller: Caller): Promise<boolean | undefined> {
    return this.hashing.run(caller, () => this.deps.vault.verifyPassword(userId, password));
  }

  /** Sets a password, one of few at a time. @returns false when too many wait */
  async setsPassword(userId: string, password: string, caller: Caller): Promise<boolean> {
    const done = await this.hashing.run(caller, async () => {
      await this.deps.vault.setPassword(userId, password);
      return true;
    });
    return done === true;
  }

  /** A new token of the same sign-in. @param token a valid one, as is that of the methods below */
  async refresh(token: string): Promise<Either<ParleyError, SignedIn>> {
    const { tokens } = this.deps;
    const { userId, generation, signIn } = (await tokens.verify(token)) ?? NOBODY;
    if (generation === undefined) return either.left(parleyError('botsCannot'));
    return either.right({ userId, ...(await tokens.issue(userId, generation, signIn)) });
  }

  /** Ends the sign-in of a token, or all of its owner's, and closes their sockets. */
  async logout(token: string, everywhere: boolean, correlationId: string): Promise<Either<ParleyError, void>> {
    const { userId, generation, signIn } = (await this.deps.tokens.verify(token)) ?? NOBODY;
    if (generation === undefined) return either.left(parleyError('botsCannot'));
    const key = idempotencyKey(userId, 'user.sign-out', randomUUID());
    const ended = await this.end(userId, everywhere ? undefined : signIn, key, correlationId);
    return either.isLeft(ended) ? ended : either.right(undefined);
  }

  /**
   * Ends all sign-ins of a token's owner, and begins one under the new password. A repeat under its key begins another one,
   * given the new password.
   * @param token may be one that the first attempt has ended
   */
  async changePassword(
    token: string,
    passwords: { readonly present: string; readonly next: string },
    caller: Caller,
  ): Promise<Either<ParleyError, SignedIn>> {
    const { vault, tokens } = this.deps;
    const verified = (await tokens.verify(token)) ?? NOBODY;
    const { userId } = verified;
    if (verified.generation === undefined) return either.left(parleyError('botsCannot'));
    const limit = await this.limits.login(userId, caller.address);
    if (limit?.allowed === false) return either.left(limitedError(limit));
    const given = caller.key ?? null;
    const key = idempotencyKey(userId, 'password.change', given ?? randomUUID());
    const before = await this.before(userId, key, caller.correlationId);
    if (either.isLeft(before)) return before;
    const { signedOut, standing, isKnown } = before.right;
    if (!isKnown && !isSignedIn({ signedOut, standing }, verified)) return either.left(parleyError('unauthorized'));
    const changed = await this.hashing.run(caller, async () => {
      const undo = isKnown ? undefined : await vault.changePassword(userId, passwords.present, passwords.next);
      // An attempt under this key may have changed it, and have ended before the log knew.
      const isRepeat = undo === undefined && given !== null && (await vault.verifyPassword(userId, passwords.next));
      return { undo: isRepeat ? KEEP : undo };
    });
    if (changed === undefined) return either.left(tooMany);
    if (changed.undo === undefined) return either.left(isKnown ? parleyError('keyReused') : wrongPassword);
    const ended = await this.end(userId, undefined, key, caller.correlationId);
    if (either.isLeft(ended)) return either.left(repeatable(await putBack(ended.left, changed.undo), given));
    return either.right({ userId, ...(await tokens.issue(userId, ended.right, undefined, caller.device)) });
  }

  /** From the stream, since the views may not know of the last sign-out yet: the sign-outs and standing of a user, and whether an event of theirs carried the key. */
  async before(
    userId: string,
    key: string,
    correlationId: string,
  ): Promise<
    Either<ParleyError, { readonly signedOut: SignedOut; readonly standing: Standing; readonly isKnown: boolean }>
  > {
    let signedOut = NEVER_SIGNED_OUT;
    let standing = GOOD_STANDING;
    const asked = await this.decided(userId, { key, correlationId }, (state) => {
      ({ signedOut, standing } = state);
      return nothing;
    });
    return either.isLeft(asked) ? asked : either.right({ signedOut, standing, isKnown: asked.right.known.length > 0 });
  }

  /** @returns the generation of the user's tokens from now on */
  async end(
    userId: string,
    signIn: string | undefined,
    key: string,
    correlationId: string,
  ): Promise<Either<ParleyError, number>> {
    const { tokens, now } = this.deps;
    const outcome = await this.decided(userId, { key, correlationId }, (state) =>
      signOut({ userId, signIn, until: tokens.lastExpiry(), now: now(), key }, state),
    );
    if (either.isLeft(outcome)) return outcome;
    // The caller's next request then finds the token void here; elsewhere it is as soon as the event arrives.
    await viewsHold(this.deps, outcome.right.position);
    const [event] = outcome.right.events;
    if (event?.type === 'user-signed-out') return either.right(event.data.generation);
    const before = await this.before(userId, key, correlationId);
    return either.isLeft(before) ? before : either.right(before.right.signedOut.generation);
  }

  /** Decides in a user's own stream what that user causes. */
  private decided(
    userId: string,
    { key, correlationId }: Pick<Cause, 'key' | 'correlationId'>,
    decide: (state: UserState) => Decision,
  ): Promise<Outcome> {
    return this.deps.mailboxes.run({
      stream: userStream(userId),
      cause: { actor: userId, key, correlationId, causationId: null, traceparent: null },
      prepare: async () => either.right(undefined),
      decide,
    });
  }

  /** Reserves the name and what looks like it, creates the key and everything else the registration needs, then appends the registration. */
  async create(
    user: NewUser,
    beforehand: () => Promise<Either<ParleyError, void>>,
  ): Promise<Either<ParleyError, void>> {
    const { deps } = this;
    const names = user.reservedAs === undefined ? [user.username, ...lookAlikes(user.username)] : [user.reservedAs];
    this.underWay.add(user.userId);
    try {
      if (!(await this.reserveAll(names, user.userId))) return either.left(taken);
      const [ready] = await Promise.all([beforehand(), deps.vault.createKey(user.userId)]);
      if (either.isLeft(ready)) {
        await this.release(names, user.userId);
        return ready;
      }
      const { userId, kind, correlationId, time } = user;
      const profile = { username: user.username, globalName: user.globalName };
      const result = await this.decided(userId, { key: `${userId}:user.register`, correlationId }, (state) =>
        decideRegister({ userId, kind, ownerId: null, profile, ...(time === undefined ? {} : { time }) }, state),
      );
      if (either.isLeft(result)) {
        // If the registration is stored after all, the name is this person's: the next one who wants it looks.
        if (result.left.name !== 'outcomeUnknown') await this.release(names, userId);
        return result;
      }
      await this.confirm(names, userId);
      await viewsHold(deps, result.right.position);
      return either.right(undefined);
    } finally {
      this.underWay.delete(user.userId);
    }
  }

  /** The registration is stored by now. Whoever wants an unconfirmed name looks for it. */
  private async confirm(names: readonly string[], userId: string): Promise<void> {
    try {
      for (const name of names) await this.deps.vault.confirmUsername(name, userId);
    } catch (failure) {
      if (!(failure instanceof StoreUnavailable)) throw failure;
    }
  }

  private async release(names: readonly string[], userId: string): Promise<void> {
    for (const name of names) await this.deps.vault.releaseUsername(name, userId);
  }

  /** All of the names, or none. */
  private async reserveAll(names: readonly string[], userId: string): Promise<boolean> {
    for (const [index, name] of names.entries()) {
      if (await this.reserve(name, userId)) continue;
      await this.release(names.slice(0, index), userId);
      return false;
    }
    return true;
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
