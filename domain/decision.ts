/** What deciding yields: the events to append, or why not. */
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { type ErrorName, type ParleyError, parleyError } from '../schemas/errors.ts';
import type { DecidedEvent } from '../schemas/events/index.ts';

export type Decision = Either<ParleyError, readonly DecidedEvent[]>;

export const refuse = (name: ErrorName): Decision => either.left(parleyError(name));
export const happen = (...events: DecidedEvent[]): Decision => either.right(events);
/** Already so: nothing to record. */
export const nothing: Decision = either.right([]);
