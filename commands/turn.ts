/** Decides all waiting tasks of a stream, one after another, into one batch. A repeated command gets its first answer here. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Decision, Fold, StreamState } from '../domain/decider.ts';
import { mergeReads, type ReadState } from '../domain/read-markers.ts';
import { contentOf, type RecentKeys } from '../domain/recent-keys.ts';
import { bytesOfEvent, type LogReader } from '../log/port.ts';
import { type ParleyError, parleyError } from '../schemas/errors.ts';
import type { DecidedEvent, NewParleyEvent, ParleyEvent } from '../schemas/events/catalogue.ts';
import type { Soon } from '../schemas/soon.ts';
import type { KeyRing } from '../vault/sealing.ts';
import { type Cause, fingerprintOf, KeyGone, sealedBy, toNewEvent, withFingerprint } from './new-events.ts';

/**
 * The stream's events after a sequence, including those decided in this turn, a page at a time: where the timeline is far
 * behind, they may be any number.
 */
export type Since = (sequence: number) => AsyncIterable<readonly ParleyEvent[]>;

/** Outside a turn, where what the timeline holds is enough. */
export const nothingSince: Since = async function* () {};

export interface TurnTask {
  readonly cause: Cause;
  readonly decide: (state: never, prepared: unknown, since: Since) => Soon<Decision>;
}

/** An event that may be of the same turn, and then has no position yet. */
type Known = ParleyEvent | NewParleyEvent;

/**
 * The result of one task: events `from` to `to` of the stream (none when `to` < `from`), or a refusal. `known` are those that
 * carried its key before.
 */
export type TaskResult = Either<
  ParleyError,
  { readonly from: number; readonly to: number; readonly known: readonly Known[] }
>;

export interface Turn {
  /** The state once the events are stored. */
  readonly state: StreamState;
  readonly events: readonly NewParleyEvent[];
  /** One for each task, or for the first of them if an append has no room for the events of all. */
  readonly results: readonly TaskResult[];
}

export interface TurnDeps {
  readonly log: LogReader;
  readonly keys: KeyRing;
  readonly fold: Fold<StreamState>;
  readonly now: number;
  /** See `EventLog`. */
  readonly maxAppendBytes: number;
  /** Hears why a decision failed, as opposed to refusing. */
  readonly onFailure: (failure: unknown) => void;
}

const keysOf = (state: StreamState): RecentKeys | undefined => (state as { keys?: RecentKeys }).keys;

const NONE_KNOWN: readonly Known[] = [];
/** Enough for the events of most commands. */
const EVENTS_OF_A_COMMAND = 16;

/** Page size for reading the channel's events that a message's timeline does not hold yet. */
const PAGE = 1000;

/**
 * A turn ends with the task whose events bring it to this size, and the rest wait for the next: whoever waits for an append
 * should not wait for megabytes of others. It ends earlier where the log takes less.
 */
export const TURN_BYTES = 524_288;

/** What became of a task's events: `later` if only the events before them leave no room. */
type Adding = 'added' | 'later' | 'too large';

class Batch {
  readonly events: NewParleyEvent[] = [];
  bytes = 0;
  state: StreamState;
  /** Of data, as JSON. Counted only where the log has a limit. */
  private dataBytes = 0;
  private readonly stream: string;
  private readonly deps: TurnDeps;
  private readonly committed: number;

  constructor(stream: string, state: StreamState, deps: TurnDeps) {
    this.stream = stream;
    this.state = state;
    this.deps = deps;
    this.committed = state.sequence;
  }

  readonly since: Since = (sequence) => this.pagesSince(sequence);

  private async *pagesSince(sequence: number): AsyncGenerator<readonly ParleyEvent[]> {
    const { stream } = this;
    for (let from = sequence + 1; from <= this.committed; ) {
      const page = await this.deps.log.readStream({ stream, from, limit: PAGE });
      if (page.length === 0) break;
      yield page;
      from += page.length;
    }
    // These are not stored yet and so have no position. Folding a message does not need one.
    yield this.events as unknown as readonly ParleyEvent[];
  }

  /** The events of the command whose first one has this sequence: they stand in a row. */
  async command(sequence: number): Promise<readonly Known[]> {
    const own: Known[] = [];
    for (;;) {
      const from = sequence + own.length;
      const page: readonly Known[] =
        from > this.committed
          ? this.events.slice(from - this.committed - 1)
          : await this.deps.log.readStream({ stream: this.stream, from, limit: EVENTS_OF_A_COMMAND });
      const end = page.findIndex(({ key }) => key !== (own[0] ?? page[0]!).key);
      own.push(...(end < 0 ? page : page.slice(0, end)));
      if (end >= 0 || page.length === 0 || from > this.committed) return own;
    }
  }

  /** Whether the task asks for something else than the command that had its id first. */
  async isOther({ cause }: TurnTask, known: readonly Known[]): Promise<boolean> {
    const first = contentOf(known[0]?.key ?? null);
    if (first === undefined || cause.content === undefined) return false;
    await this.deps.keys.load([cause.actor]);
    return (fingerprintOf(cause, this.deps.keys) ?? first) !== first;
  }

  /** Adds all of one task's events, or none. */
  add(decided: readonly DecidedEvent[], cause: Cause): Promise<Adding> | Adding {
    const { keys } = this.deps;
    const unknown = decided.flatMap((one) => sealedBy(one, cause)).filter((by) => keys.cached(by) === null);
    if (unknown.length > 0)
      return Promise.all(unknown.map((by) => keys.get(by))).then(() => this.addAtOnce(decided, cause));
    return this.addAtOnce(decided, cause);
  }

  /** Requires that every key is cached. */
  private addAtOnce(decided: readonly DecidedEvent[], cause: Cause): Adding {
    if (decided.length === 0) return 'added';
    const { stream, deps, state } = this;
    // Once for all: a command may ask for much, and make many events.
    const fingerprinted = withFingerprint(cause, deps.keys);
    const made: NewParleyEvent[] = [];
    for (const one of decided) {
      made.push(toNewEvent(one, stream, state.sequence + made.length + 1, fingerprinted, deps.now, deps.keys));
    }
    if (Number.isFinite(deps.maxAppendBytes)) {
      const own = made.reduce((bytes, { data }) => bytes + Buffer.byteLength(JSON.stringify(data)), 0);
      if (own > deps.maxAppendBytes) return 'too large';
      if (this.dataBytes + own > deps.maxAppendBytes) return 'later';
      this.dataBytes += own;
    }
    for (const event of made) {
      this.events.push(event);
      this.bytes += bytesOfEvent(event);
      this.state = deps.fold.evolve(this.state, event as unknown as ParleyEvent);
    }
    return 'added';
  }
}

/** The events of the command that is known by what the fields hold: it counts, whatever it says. */
const knownByFields = async ({ secondKey }: Cause, batch: Batch): Promise<readonly Known[]> => {
  const sequence = secondKey === undefined ? undefined : keysOf(batch.state)?.sequenceOf(secondKey);
  return sequence === undefined ? NONE_KNOWN : batch.command(sequence);
};

const failed = (failure: unknown, { onFailure }: TurnDeps): TaskResult => {
  if (failure instanceof KeyGone) return either.left(parleyError('unauthorized'));
  onFailure(failure);
  return either.left(parleyError('unavailable', { retryAfter: 1 }));
};

/** @param prepared what each task read beforehand, or why it is refused. */
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
    if (batch.bytes >= TURN_BYTES) break;
    const ready = prepared[index]!;
    try {
      const repeated = keysOf(batch.state)?.sequenceOf(task.cause.key);
      const first = repeated === undefined ? NONE_KNOWN : await batch.command(repeated);
      if (repeated !== undefined && (await batch.isOther(task, first))) {
        results.push(either.left(parleyError('keyReused')));
        continue;
      }
      const deciding = either.isLeft(ready) ? ready : task.decide(batch.state as never, ready.right, batch.since);
      const decision = deciding instanceof Promise ? await deciding : deciding;
      if (either.isLeft(decision)) {
        results.push(decision);
        continue;
      }
      const from = batch.state.sequence + 1;
      if (merges && decision.right.length > 0) {
        toMerge.push({ events: decision.right, cause: task.cause });
        results.push(either.right({ from, to: from, known: NONE_KNOWN }));
        continue;
      }
      // A known key decides nothing new: a repeat is answered from the event that carried it first.
      const isNew = decision.right.length > 0;
      const known = isNew ? NONE_KNOWN : repeated === undefined ? await knownByFields(task.cause, batch) : first;
      const adding = batch.add(decision.right, task.cause);
      const added = adding instanceof Promise ? await adding : adding;
      if (added === 'later') break;
      if (added === 'too large') {
        results.push(either.left(parleyError('payloadTooLarge')));
        continue;
      }
      results.push(either.right({ from, to: batch.state.sequence, known }));
    } catch (error) {
      // A failing task does not affect its neighbours.
      results.push(failed(error, deps));
    }
  }
  const first = toMerge[0];
  if (first !== undefined) {
    const events = toMerge.flatMap((one) => one.events);
    const added = await batch.add(mergeReads(events, batch.state as ReadState), first.cause);
    if (added !== 'added') throw new RangeError(`The read markers of a turn of ${stream} do not fit into one append.`);
  }
  return { state: batch.state, events: batch.events, results };
};
