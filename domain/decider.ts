/** What deciding yields: the events to append, or why not. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { type ErrorName, type ParleyError, parleyError } from '../schemas/errors.ts';
import type { DecidedEvent, ParleyEvent } from '../schemas/events/catalogue.ts';

/** How a stream's events become the small state that decisions are made on. */
export interface Fold<State> {
  /** Changes with the form of the state; snapshots of another version are not used. */
  readonly version: number;
  initial(): State;
  /** Returns the state after the event. It may reuse the one given, which must not be used again. */
  evolve(state: State, event: ParleyEvent): State;
  /** A state to go on with that leaves the one given as it is, until `adopt` brings them together. Cheap. */
  fork?(state: State): State;
  /** A fork that turned out to be true, as a state of its own; what it was forked from must not be used again. */
  adopt?(fork: State): State;
  toJson(state: State): unknown;
  fromJson(json: unknown): State;
}

/** Every state knows how far its stream has got. */
export interface StreamState {
  /** Sequence of the last event folded in, 0 before the first. */
  sequence: number;
}

export type Decision = Either<ParleyError, readonly DecidedEvent[]>;

export const refuse = (name: ErrorName): Decision => either.left(parleyError(name));
export const happen = (...events: DecidedEvent[]): Decision => either.right(events);
/** Already so: nothing to record. */
export const nothing: Decision = either.right([]);
