/** Deciding all that waits on a stream, one after another, into one batch. */
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Decision } from '../domain/decision.ts';
import type { Fold, StreamState } from '../domain/fold.ts';
import { mergeReads, type ReadState } from '../domain/read-markers.ts';
import type { RecentKeys } from '../domain/recent-keys.ts';
import type { LogReader } from '../log/port.ts';
import { type ParleyError, parleyError } from '../schemas/errors.ts';
import type { DecidedEvent, NewParleyEvent, ParleyEvent } from '../schemas/events/index.ts';
import type { KeyRing } from '../vault/key-ring.ts';
import { type Cause, KeyGone, toNewEvent } from './envelope.ts';

/** The stream's events beyond a sequence, those decided in this turn included. */
export type Since = (sequence: number) => Promise<readonly ParleyEvent[]>;

export interface TurnTask {
  readonly cause: Cause;
  readonly decide: (state: never, prepared: unknown, since: Since) => Decision | Promise<Decision>;
}

/** What one task came to: events `from` to `to` of the stream (none when `to` < `from`), or a refusal. */
export type TaskResult = Either<
  ParleyError,
  { readonly from: number; readonly to: number; readonly known: number | undefined }
>;

export interface Turn {
  /** As it will be once the events are stored. */
  readonly state: StreamState;
  readonly events: readonly NewParleyEvent[];
  readonly results: readonly TaskResult[];
}

export interface TurnDeps {
  readonly log: LogReader;
  readonly keys: KeyRing;
  readonly fold: Fold<StreamState>;
  readonly now: number;
}

const keysOf = (state: StreamState): RecentKeys | undefined => (state as { keys?: RecentKeys }).keys;

/** A decision about a message looks through what its timeline has yet to see, in pages. */
const PAGE = 1000;

class Batch {
  readonly events: NewParleyEvent[] = [];
  state: StreamState;
  private readonly stream: string;
  private readonly deps: TurnDeps;
  private readonly committed: number;

  constructor(stream: string, state: StreamState, deps: TurnDeps) {
    this.stream = stream;
    this.state = state;
    this.deps = deps;
    this.committed = state.sequence;
  }

  readonly since: Since = async (sequence) => {
    const { stream } = this;
    const stored: ParleyEvent[] = [];
    for (let through = sequence; through < this.committed; through += PAGE) {
      stored.push(...(await this.deps.log.readStream({ stream, from: through + 1, limit: PAGE })));
    }
    // Not stored yet, so without a position; nobody who folds a message asks for it.
    return [...stored, ...(this.events as unknown as ParleyEvent[])];
  };

  /** All of one task's events or none. */
  add(decided: readonly DecidedEvent[], cause: Cause): Promise<void> | undefined {
    const { keys } = this.deps;
    const unknown = decided.flatMap(({ secret }) => (secret && keys.cached(secret.by) === null ? [secret.by] : []));
    if (unknown.length > 0)
      return Promise.all(unknown.map((by) => keys.get(by))).then(() => this.addAtOnce(decided, cause));
    this.addAtOnce(decided, cause);
    return undefined;
  }

  /** With every key at hand. */
  private addAtOnce(decided: readonly DecidedEvent[], cause: Cause): void {
    const { stream, deps, state } = this;
    const made: NewParleyEvent[] = [];
    for (const one of decided) {
      made.push(toNewEvent(one, stream, state.sequence + made.length + 1, cause, deps.now, deps.keys));
    }
    for (const event of made) {
      this.events.push(event);
      this.state = deps.fold.evolve(this.state, event as unknown as ParleyEvent);
    }
  }
}

const failure = (error: unknown): TaskResult =>
  either.left(error instanceof KeyGone ? parleyError('unauthorized') : parleyError('unavailable', { retryAfter: 1 }));

/** @param prepared what each task read beforehand, or why it may not go on. */
export const decideTurn = async (
  stream: string,
  tasks: readonly TurnTask[],
  prepared: readonly Either<ParleyError, unknown>[],
  initial: StreamState,
  deps: TurnDeps,
): Promise<Turn> => {
  const batch = new Batch(stream, initial, deps);
  const merges = stream.startsWith('read-');
  const toMerge: { readonly events: readonly DecidedEvent[]; readonly cause: Cause }[] = [];
  const results: TaskResult[] = [];

  for (const [index, task] of tasks.entries()) {
    const ready = prepared[index]!;
    try {
      const deciding = either.isLeft(ready) ? ready : task.decide(batch.state as never, ready.right, batch.since);
      const decision = deciding instanceof Promise ? await deciding : deciding;
      if (either.isLeft(decision)) {
        results.push(decision);
        continue;
      }
      const from = batch.state.sequence + 1;
      if (merges && decision.right.length > 0) {
        toMerge.push({ events: decision.right, cause: task.cause });
        results.push(either.right({ from, to: from, known: undefined }));
        continue;
      }
      // A known key decides nothing new: whoever asks again is answered from the event that carried it first.
      const known = decision.right.length > 0 ? undefined : keysOf(batch.state)?.sequenceOf(task.cause.key);
      const adding = batch.add(decision.right, task.cause);
      if (adding !== undefined) await adding;
      results.push(either.right({ from, to: batch.state.sequence, known }));
    } catch (error) {
      // One task's trouble is not its neighbours'.
      results.push(failure(error));
    }
  }
  const first = toMerge[0];
  if (first !== undefined) {
    const events = toMerge.flatMap((one) => one.events);
    await batch.add(mergeReads(events, batch.state as ReadState), first.cause);
  }
  return { state: batch.state, events: batch.events, results };
};
