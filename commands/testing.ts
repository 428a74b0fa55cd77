/** For specs of the write side: its callers, its limits, and what its answers hold. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { AppendRequest, EventLog } from '../log/port.ts';
import type { Actor } from '../schemas/actor.ts';
import type { ParleyError } from '../schemas/errors.ts';
import { type Bounds, bounds, type Limits as LimitConfig, limits } from '../schemas/settings.ts';

export const NO_LIMITS = Object.fromEntries(
  Object.keys(limits).map((name) => [name, undefined]),
) as unknown as LimitConfig;

/** The defaults. */
export const BOUNDS = Object.fromEntries(
  Object.entries(bounds).map(([name, { fallback }]) => [name, Number(fallback)]),
) as unknown as Bounds;

export const CALLER = { address: '127.0.0.1', correlationId: 'spec', isGone: () => false };

export const right = <A>(result: Either<ParleyError, A>): A => {
  if (either.isLeft(result))
    throw new Error(`refused: ${result.left.name} ${JSON.stringify(result.left.errors ?? '')}`);
  return result.right;
};

export const refusal = (result: Either<ParleyError, unknown>): string | undefined =>
  either.isLeft(result) ? result.left.name : undefined;

/** For `logFor`: a log that stores what it is given and, while `silent`, answers that nobody knows. */
export const silentWhile =
  (silent: () => boolean) =>
  (log: EventLog): EventLog =>
    Object.create(log, {
      append: {
        value: async (request: AppendRequest) => {
          const appended = await log.append(request);
          return silent() ? either.left({ kind: 'unknown', reason: 'no answer' }) : appended;
        },
      },
    }) as EventLog;

/** For `logFor`: a log that is full while `full`. */
export const fullWhile =
  (full: () => boolean) =>
  (log: EventLog): EventLog =>
    Object.create(log, {
      append: {
        value: async (request: AppendRequest) => (full() ? either.left({ kind: 'full' }) : log.append(request)),
      },
    }) as EventLog;

export const person = (userId: string): Actor => ({ userId, kind: 'person', administrator: false });

export const dense = (numbers: readonly number[]): boolean => numbers.every((n, i) => n === i + 1);
