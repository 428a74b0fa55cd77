/** The result of a decision: the events to append, or the refusal. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { type ErrorName, type ParleyError, parleyError } from '../schemas/errors.ts';
import type { DecidedEvent, ParleyEvent } from '../schemas/events/catalogue.ts';

/** Folds a stream's events into the small state that decisions need. */
export interface Fold<State> {
  /** Raised when the form of the state changes; snapshots of another version are not used. */
  readonly version: number;
  initial(): State;
  /** Returns the state after the event. May mutate the given state, which must not be used again. */
  evolve(state: State, event: ParleyEvent): State;
  /** A cheap copy to continue from. The given state stays as it is until `adopt`. */
  fork?(state: State): State;
  /** Turns a fork into a state of its own, once its events are stored. The original must not be used again. */
  adopt?(fork: State): State;
  /** Approximate bytes in memory, without looking at every part. Absent: a few hundred. */
  bytes?(state: State): number;
  toJson(state: State): unknown;
  fromJson(json: unknown): State;
}

/** Every state holds the sequence it was folded to. */
export interface StreamState {
  /** Sequence of the last event folded in, 0 before the first. */
  sequence: number;
}

export type Decision = Either<ParleyError, readonly DecidedEvent[]>;

export const refuse = (name: ErrorName): Decision => either.left(parleyError(name));
export const happen = (...events: DecidedEvent[]): Decision => either.right(events);
/** Nothing to record: the state is already as wanted. */
export const nothing: Decision = either.right([]);

/** Of what was looked for, or the decision that ends the search. */
export const isDecision = <A extends object>(found: A | Decision): found is Decision => '_tag' in found;

/** The time of an event that did not happen now but was imported, in milliseconds since 1970. */
export const timed = ({ time }: { readonly time?: number | undefined }): { readonly time?: number } =>
  time === undefined ? {} : { time };
