/** Deleting accounts: at once, and those that are due. */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import { type AdministratorsState, administratorsIn, stepDown as decideToStepDown } from '../domain/administrators.ts';
import { nothing } from '../domain/decider.ts';
import { idempotencyKey } from '../domain/recent-keys.ts';
import { deleteUser, type UserState } from '../domain/user.ts';
import type { Clock } from '../schemas/clock.ts';
import { StoreUnavailable } from '../schemas/errors.ts';
import { mayAct } from '../schemas/events/user.ts';
import { ADMINISTRATORS_STREAM, userStream } from '../schemas/streams.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type CommandDeps, type Result, refused, whenFollowedUp } from './command.ts';
import { DueWork } from './due-work.ts';
import type { Done } from './mailbox.ts';
import type { Cause } from './new-events.ts';

type Deps = Pick<CommandDeps, 'views' | 'mailboxes' | 'processes' | 'shared' | 'now'>;

/**
 * What a change of who administers the installation is decided by, beside its own stream. Read within the decision: the views of
 * this node may not know yet whom the stream names, so they are asked about each of these.
 */
export const administration = async (state: AdministratorsState, { views: { guilds } }: Pick<CommandDeps, 'views'>) => {
  const first = await guilds.administrator();
  // Whoever asks is somebody, so there is a first person.
  if (first === undefined) throw new StoreUnavailable('guild-views', 1);
  const able = await guilds.users(administratorsIn(state, first));
  const ids = new Set(able.filter(({ standing }) => mayAct(standing)).map(({ id }) => id));
  return { first, mayAct: (id: string) => ids.has(id) };
};

/** Asks the stream of the administrators, which decides it alone: so of two who go at once one stays. */
const steppingDown = async (deps: Deps, userId: string, cause: Cause, happens: boolean): Promise<Result<void>> => {
  const key = idempotencyKey(userId, 'administrator.step-down', cause.key);
  const { actor } = cause;
  const asked = await deps.mailboxes.run({
    stream: ADMINISTRATORS_STREAM,
    cause: { ...cause, key, secondKey: undefined, content: undefined },
    prepare: async () => either.right(undefined),
    decide: async (state: AdministratorsState) => {
      const decided = decideToStepDown({ actor, userId, ...(await administration(state, deps)), key }, state);
      return happens || either.isLeft(decided) ? decided : nothing;
    },
  });
  return either.isLeft(asked) ? asked : either.right(undefined);
};

/** Whoever is to be shut out or deleted first administers nothing any more. The last administrator stays. */
export const stepDown = (deps: Deps, userId: string, cause: Cause): Promise<Result<void>> =>
  steppingDown(deps, userId, cause, true);

const ownsNoGuild = async (deps: Pick<CommandDeps, 'views'>, userId: string): Promise<Result<void>> => {
  const guilds = await deps.views.guilds.guildsOf(userId);
  return guilds.some(({ ownerId }) => ownerId === userId) ? refused('ownsGuilds') : either.right(undefined);
};

/** Whether an account could be deleted now. Nothing changes. */
export const mayBeDeleted = async (deps: Deps, userId: string, cause: Cause): Promise<Result<void>> => {
  const owns = await ownsNoGuild(deps, userId);
  return either.isLeft(owns) ? owns : steppingDown(deps, userId, cause, false);
};

interface Removal {
  readonly userId: string;
  readonly cause: Cause;
  /** Milliseconds since 1970: only if the deletion is due then. Absent: in any case. */
  readonly now?: number;
}

/** Deletes an account, and waits until the key is destroyed. */
export const removeUser = async (deps: Deps, { userId, cause, now }: Removal): Promise<Result<Done>> => {
  const stream = userStream(userId);
  const allowed = await ownsNoGuild(deps, userId);
  if (either.isLeft(allowed)) return allowed;
  const stepped = await stepDown(deps, userId, cause);
  if (either.isLeft(stepped)) return stepped;
  const removed = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => {
      const allowed = await ownsNoGuild(deps, userId);
      if (either.isLeft(allowed)) return allowed;
      return either.right((await deps.views.guilds.guildsOf(userId)).map(({ id }) => id));
    },
    decide: (state: UserState, guilds: readonly string[]) =>
      deleteUser({ userId, guilds, key: cause.key, ...(now === undefined ? {} : { now }) }, state),
  });
  if (either.isRight(removed) && removed.right.events.length > 0)
    await whenFollowedUp(deps, stream, cause.key, removed.right);
  return removed;
};

/** How often it is looked which accounts are to be deleted now. */
export const LOOK_MS = 2_000;

interface DueDeps extends Deps {
  readonly clock: Clock;
  readonly logger: Logger;
}

const removeDue = async (deps: DueDeps, userId: string): Promise<void> => {
  const correlationId = randomUUID();
  const key = idempotencyKey(userId, 'user.delete-due', correlationId);
  const cause = { actor: userId, key, correlationId, causationId: null, traceparent: null };
  const removed = await removeUser(deps, { userId, cause, now: deps.now() });
  if (either.isLeft(removed))
    deps.logger.error({ user: userId, reason: removed.left.message }, 'an account that is due is not deleted yet');
};

/** Carries out the deletions that are due. Whether they are is decided in the person's stream, when it happens. */
export const dueDeletions = (deps: DueDeps): DueWork =>
  new DueWork({
    ...{ clock: deps.clock, logger: deps.logger, everyMs: LOOK_MS },
    failure: 'accounts that are due could not be deleted',
    look: async () => {
      const leaving = await deps.views.guilds.leaving();
      for (const { userId, due } of leaving) if (due <= deps.now()) await removeDue(deps, userId);
    },
  });
