/** How a stream's events become the small state that decisions are made on. */
import type { ParleyEvent } from '../schemas/events/index.ts';

export interface Fold<State> {
  /** Changes with the form of the state; snapshots of another version are not used. */
  readonly version: number;
  initial(): State;
  /** Returns the state after the event. It may reuse the one given, which must not be used again. */
  evolve(state: State, event: ParleyEvent): State;
  toJson(state: State): unknown;
  fromJson(json: unknown): State;
}

/** Every state knows how far its stream has got. */
export interface StreamState {
  /** Sequence of the last event folded in, 0 before the first. */
  sequence: number;
}
