/** What people do with their accounts beside signing in, and what needs a secret of the vault: sign-ins, codes, deletion. */

import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { either } from 'fp-ts';
import { idempotencyKey } from '../domain/recent-keys.ts';
import { requestDeletion, type UserState } from '../domain/user.ts';
import { isSignedIn } from '../projections/views/guild-views/access.ts';
import { fieldError } from '../schemas/errors.ts';
import { userStream } from '../schemas/streams.ts';
import { type Code, isGood, type KnownCode, type SignIn } from '../vault/port.ts';
import { type CommandDeps, type Result, refused, unlessRepeated, viewsHold } from './command.ts';
import { mayBeDeleted, removeUser } from './deletions.ts';
import { type Caller, type Identity, type SignedIn, tooMany, wrongPassword } from './identity.ts';
import { type Limits, limitedError } from './limits.ts';

type Deps = Pick<CommandDeps, 'vault' | 'tokens' | 'views' | 'mailboxes' | 'processes' | 'shared' | 'now'>;

interface Options {
  readonly limits: Pick<Limits, 'login'>;
  /** How long a deletion may be taken back, in milliseconds. */
  readonly deletionMs: number;
}

export interface NewCode {
  /** Shown once. */
  readonly code: string;
  readonly known: KnownCode;
}

export interface NewInvite {
  readonly madeBy: string;
  /** 0: any number. */
  readonly maxUses: number;
  /** Milliseconds; 0: it does not expire. */
  readonly maxAge: number;
}

const CODE_BYTES = 24;
/** How long a password may be reset, in milliseconds. */
const RESET_MS = 86_400_000;

/** What whoever makes a code says of it. */
const asksFor = ({ userId, maxUses, created, expires }: Code) => [userId, maxUses, expires && expires - created];

const badCode = fieldError(['code'], 'CODE_INVALID', 'The code is wrong, used or expired.');

export class Accounts {
  private readonly deps: Deps;
  private readonly identity: Identity;
  private readonly options: Options;

  constructor(deps: Deps, identity: Identity, options: Options) {
    this.deps = deps;
    this.identity = identity;
    this.options = options;
  }

  /** Those that count, the latest used first. */
  async signIns(userId: string): Promise<readonly SignIn[]> {
    const { vault, views, now } = this.deps;
    const user = await views.guilds.user(userId);
    if (user === undefined) return [];
    const all = await vault.signIns(userId);
    return all
      .filter(({ id, generation, expires }) => expires > now() && isSignedIn(user, { generation, signIn: id }))
      .sort((a, b) => b.lastUsed - a.lastUsed);
  }

  /** Ends sign-ins of a person, with their sockets. Those that are not theirs are passed over. */
  async endSignIns(userId: string, ids: readonly string[], correlationId: string): Promise<Result<void>> {
    const own = new Set((await this.signIns(userId)).map(({ id }) => id));
    for (const id of new Set(ids)) {
      if (!own.has(id)) continue;
      const key = idempotencyKey(userId, 'user.sign-out', randomUUID());
      const ended = await this.identity.end(userId, id, key, correlationId);
      if (either.isLeft(ended)) return ended;
    }
    return either.right(undefined);
  }

  invites(): Promise<readonly KnownCode[]> {
    return this.deps.vault.codes('registration');
  }

  /** @param key the client's id for the request: a repeat gets the same code */
  async invite({ madeBy, maxUses, maxAge }: NewInvite, key: string | null): Promise<Result<NewCode>> {
    const created = this.deps.now();
    const about = { kind: 'registration', userId: null, madeBy, maxUses } as const;
    return this.newCode({ ...about, created, expires: maxAge === 0 ? null : created + maxAge }, key);
  }

  removeInvite(id: string): Promise<boolean> {
    return this.deps.vault.removeCode(id);
  }

  /**
   * A code by which a person sets another password, once.
   * @param key as of `invite`
   */
  async resetCode(userId: string, madeBy: string, key: string | null): Promise<Result<NewCode>> {
    const user = await this.deps.views.guilds.user(userId);
    if (user?.kind !== 'person' || user.standing.deleted) return refused('unknownUser');
    const created = this.deps.now();
    const about = { kind: 'password-reset', userId, madeBy, maxUses: 1 } as const;
    return this.newCode({ ...about, created, expires: created + RESET_MS }, key);
  }

  /** A code under a key follows from the key, and the vault keeps what it was first given for it. */
  private async newCode(about: Code, key: string | null): Promise<Result<NewCode>> {
    const { vault } = this.deps;
    const bytes =
      key === null
        ? randomBytes(CODE_BYTES)
        : createHmac('sha256', await vault.signingSecret())
            .update(`code ${idempotencyKey(about.madeBy, about.kind, key)}`)
            .digest()
            .subarray(0, CODE_BYTES);
    const code = bytes.toString('base64url');
    const known = await vault.putCode(code, about);
    return isDeepStrictEqual(asksFor(known), asksFor(about)) ? either.right({ code, known }) : refused('keyReused');
  }

  /** Ends all sign-ins of the person whose password it is, and begins one under the new password. */
  async resetPassword(code: string, next: string, caller: Caller): Promise<Result<SignedIn>> {
    const { vault, tokens, now } = this.deps;
    const limit = await this.options.limits.login('', caller.address);
    if (limit?.allowed === false) return either.left(limitedError(limit));
    const known = await vault.code(code);
    if (known?.kind !== 'password-reset' || known.userId === null || !isGood(known, now())) return either.left(badCode);
    const { userId } = known;
    const before = await this.identity.before(userId, randomUUID(), caller.correlationId);
    if (either.isLeft(before)) return before;
    const { disabled, deleted } = before.right.standing;
    if (disabled) return refused('accountDisabled');
    if (deleted) return either.left(badCode);
    // Of several at once, one goes on.
    const attempt = randomUUID();
    if (!(await vault.useCode(code, attempt, now()))) return either.left(badCode);
    if (!(await this.identity.setsPassword(userId, next, caller))) {
      await vault.giveBackCode(code, attempt);
      return either.left(tooMany);
    }
    const key = idempotencyKey(userId, 'password.reset', attempt);
    const ended = await this.identity.end(userId, undefined, key, caller.correlationId);
    if (either.isLeft(ended)) return ended;
    return either.right({ userId, ...(await tokens.issue(userId, ended.right, undefined, caller.device)) });
  }

  /** Deletes a person's own account, after the time in which they may change their mind. */
  async deleteOwn(userId: string, password: string, caller: Caller): Promise<Result<void>> {
    const { deps } = this;
    const limit = await this.options.limits.login(userId, caller.address);
    if (limit?.allowed === false) return either.left(limitedError(limit));
    const right = await this.identity.checksPassword(userId, password, caller);
    if (right === undefined) return either.left(tooMany);
    if (!right) return either.left(wrongPassword);
    const key = idempotencyKey(userId, 'user.delete-own', caller.key ?? randomUUID());
    const cause = { actor: userId, key, correlationId: caller.correlationId, causationId: null, traceparent: null };
    if (this.options.deletionMs === 0) {
      const removed = await removeUser(deps, { userId, cause });
      return either.isLeft(removed) ? removed : either.right(undefined);
    }
    const due = deps.now() + this.options.deletionMs;
    const asked = await deps.mailboxes.run({
      stream: userStream(userId),
      cause,
      prepare: async () => either.right(await mayBeDeleted(deps, userId, cause)),
      decide: (state: UserState, allowed) =>
        unlessRepeated(
          either.isLeft(allowed) ? allowed.left : undefined,
          state,
          cause,
          requestDeletion({ userId, due, key }, state),
        ),
    });
    if (either.isLeft(asked)) return asked;
    await viewsHold(deps, asked.right.position);
    return either.right(undefined);
  }
}
