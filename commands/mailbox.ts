/**
 * One mailbox per stream. A task begins to prepare when it is queued. A turn takes the prepared tasks, decides them one
 * after another against the folded state, and appends the result as one batch. Decided state counts only after the
 * commit. A task never overtakes an earlier one of the same person, and never waits for a neighbour's.
 */

import { setImmediate as endOfTurn } from 'node:timers/promises';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Decision } from '../domain/decider.ts';
import { NoIdLeft } from '../domain/snowflake.ts';
import type { AppendError, EventLog } from '../log/port.ts';
import { type Clock, within } from '../schemas/clock.ts';
import { type ParleyError, parleyError, StoreUnavailable } from '../schemas/errors.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import type { Soon } from '../schemas/soon.ts';
import { TimeSlices } from '../schemas/time-slices.ts';
import type { Spans } from '../telemetry/spans.ts';
import type { KeyRing } from '../vault/sealing.ts';
import type { Cause } from './new-events.ts';
import type { Pace } from './pace.ts';
import type { StateStore } from './states.ts';
import { decideTurn, type Since, type Turn } from './turn.ts';

export interface Task<State, Prepared> {
  readonly stream: string;
  readonly cause: Cause;
  /** Tasks of one lane never overtake each other on their stream. Defaults to the lane of the cause's actor. */
  readonly lane?: string | undefined;
  /** Reads what the decision needs from outside the stream: limits, rights, facts of a message. Begins at once. */
  readonly prepare: () => Soon<Either<ParleyError, Prepared>>;
  /** Reads again what may have been taken away while the task waited: rights. */
  readonly refresh?: ((prepared: Prepared) => Soon<Either<ParleyError, Prepared>>) | undefined;
  readonly decide: (state: State, prepared: Prepared, since: Since) => Soon<Decision>;
}

export interface Done {
  /** The task's own events; empty when there was nothing to record. */
  readonly events: readonly ParleyEvent[];
  /** The events that carried the same key before. */
  readonly known: readonly ParleyEvent[];
  /** Sequence of the stream after the task. */
  readonly sequence: number;
  /** At or after the task's events in the whole log. */
  readonly position: number;
}

export type Outcome = Either<ParleyError, Done>;

export interface MailboxDeps {
  readonly log: EventLog;
  readonly states: StateStore;
  readonly keys: KeyRing;
  readonly clock: Clock;
  /** Most tasks that may wait in one stream. */
  readonly waiting: number;
  /** Keeps writing from running ahead of delivery. Absent where nothing is delivered. */
  readonly pace?: Pace | undefined;
  /** Counts appends that found the stream further on than this node knew. */
  readonly onConflict: () => void;
  /** Hears what this node has stored before it is acknowledged. */
  readonly onStored?: ((events: readonly ParleyEvent[]) => void) | undefined;
  /** Hears what made commands fail, unless a store cannot be reached. */
  readonly onFailure: (stream: string, failure: unknown) => void;
  /** Absent where nothing is traced. */
  readonly spans?: Spans | undefined;
}

type AnyTask = Task<never, unknown>;

class QueuedTask {
  readonly task: AnyTask;
  readonly lane: string;
  readonly answer: (outcome: Outcome) => void;
  /** `undefined` while it is being prepared. */
  prepared: Either<ParleyError, unknown> | undefined;
  /** When the last reading for it ended, on the monotonic clock, in milliseconds. */
  readAt = 0;
  /** Whether its rights have been read again for the turn it is due for. It is decided by those, however long that took. */
  readForTurn = false;

  constructor(task: AnyTask, answer: (outcome: Outcome) => void) {
    this.task = task;
    this.lane = task.lane ?? task.cause.actor;
    this.answer = answer;
  }
}

interface Queue {
  tasks: QueuedTask[];
  /** Resumes the queue when a task is prepared. */
  wake: () => void;
}

/** Maximum tasks per turn: bounds the size of an append. */
const TURN = 512;
/** Conflicts come from other nodes only. After ten in a row this node gives up the turn. */
const ATTEMPTS = 10;
/** Rights read longer ago than this are read again before they are used: a revoked right does not survive in a queue. */
const FRESH_MS = 100;
/** Longest wait for a neighbour's rights to be read again. After that the neighbour gets a later turn. */
const REFRESH_MS = 50;

const refusalOf = ({ kind }: AppendError): ParleyError => {
  switch (kind) {
    case 'conflict':
      return parleyError('unavailable', { retryAfter: 1 });
    case 'full':
      return parleyError('diskFull', { retryAfter: 30 });
    case 'unavailable':
      return parleyError('unavailable', { retryAfter: 5 });
    // Neither invites a repetition: one may be stored already, the other never will be.
    case 'unknown':
      return parleyError('outcomeUnknown');
    case 'refused':
      return parleyError('refusedByLog');
  }
};

const CROWDED: Outcome = either.left(parleyError('tooManyWaiting', { retryAfter: 1 }));

/**
 * A command that follows from an event is never refused for lack of room, and neither is one of an import, which has a lane
 * of its own and waits for each answer.
 */
const mayBeRefused = ({ cause, lane }: Pick<AnyTask, 'cause' | 'lane'>): boolean =>
  cause.causationId === null && lane === undefined;

const unavailable = () => either.left(parleyError('unavailable', { retryAfter: 1 }));

/** Adds a span from queueing to the first decision, and one for each time the task is decided again. */
const traced = <State, Prepared>(task: Task<State, Prepared>, spans: Spans): Task<State, Prepared> => {
  const begin = () => spans.step('decide', task.cause, { 'parley.stream': task.stream });
  let queued = begin();
  if (queued === undefined) return task;
  return {
    stream: task.stream,
    cause: task.cause,
    lane: task.lane,
    prepare: () => task.prepare(),
    refresh: task.refresh && ((former) => task.refresh!(former)),
    decide: async (state, prepared, since) => {
      const span = queued ?? begin();
      queued = undefined;
      try {
        return await task.decide(state, prepared, since);
      } finally {
        span?.end();
      }
    },
  };
};

export class Mailboxes {
  private readonly deps: MailboxDeps;
  private readonly queues = new Map<string, Queue>();
  /** Of all streams: many turns at once would hold up what is stored meanwhile. */
  private readonly slices: TimeSlices;

  constructor(deps: MailboxDeps) {
    this.deps = deps;
    this.slices = new TimeSlices(deps.clock);
  }

  /** Queues the task and begins to prepare it before this returns. Never rejects. */
  run<State, Prepared>(task: Task<State, Prepared>): Promise<Outcome> {
    const { spans, waiting } = this.deps;
    const own = spans === undefined ? task : traced(task, spans);
    return new Promise((resolve) => {
      const queued = new QueuedTask(own as unknown as AnyTask, resolve);
      let queue = this.queues.get(task.stream);
      if (queue === undefined) {
        queue = { tasks: [queued], wake: () => {} };
        this.queues.set(task.stream, queue);
        void this.work(task.stream, queue);
      } else if (queue.tasks.length >= waiting && mayBeRefused(task)) {
        return resolve(CROWDED);
      } else {
        queue.tasks.push(queued);
      }
      this.read(queue, queued);
    });
  }

  /** A store that cannot be reached is told of elsewhere, and once. */
  private report(stream: string, failure: unknown): void {
    if (!(failure instanceof StoreUnavailable) || failure instanceof NoIdLeft) this.deps.onFailure(stream, failure);
  }

  /**
   * @param former what was read before, if only rights are to be read again
   * @returns resolves when the task is prepared; `undefined` if it is already
   */
  private read(queue: Queue, queued: QueuedTask, former?: { readonly right: unknown }): Promise<void> | undefined {
    const { task } = queued;
    queued.prepared = undefined;
    const failed = (failure: unknown): void => {
      this.report(task.stream, failure);
      this.prepared(queue, queued, unavailable());
    };
    try {
      const reading = former === undefined ? task.prepare() : task.refresh!(former.right as never);
      if (reading instanceof Promise) return reading.then((read) => this.prepared(queue, queued, read), failed);
      this.prepared(queue, queued, reading);
    } catch (failure) {
      failed(failure);
    }
    return undefined;
  }

  private prepared(queue: Queue, queued: QueuedTask, prepared: Either<ParleyError, unknown>): void {
    queued.prepared = prepared;
    queued.readAt = this.deps.clock.monotonic();
    queue.wake();
  }

  private async work(stream: string, queue: Queue): Promise<void> {
    while (queue.tasks.length > 0) {
      // Tasks that came in one turn of the event loop are prepared by its end, and share an append.
      await endOfTurn();
      await this.slices.turn();
      await this.deps.pace?.turn(stream);
      const oldest = this.deps.clock.monotonic() - FRESH_MS;
      let { turn, left } = nextTurn(queue);
      const refreshing = this.refresh(queue, turn, oldest);
      if (refreshing !== undefined) {
        await refreshing;
        // Whoever waited behind somebody whose rights are known only now has not been asked about.
        ({ turn, left } = nextTurn(queue, (queued) => !isTooOld(queued, oldest)));
      }
      queue.tasks = left;
      if (turn.length === 0) {
        await new Promise<void>((resolve) => {
          queue.wake = resolve;
        });
        continue;
      }
      // What is refused without the stream's state asks nothing of the log.
      if (turn.every(({ prepared }) => either.isLeft(prepared!))) {
        for (const { prepared, answer } of turn) answer(prepared as Outcome);
        continue;
      }
      try {
        const later = await this.turn(stream, turn);
        for (const queued of later) queued.readForTurn = false;
        if (later.length > 0) queue.tasks = [...later, ...queue.tasks];
      } catch (failure) {
        // The stream's state could not be read, so nothing is stored of those that are not answered yet.
        this.report(stream, failure);
        for (const { answer } of turn) answer(unavailable());
      }
    }
    this.queues.delete(stream);
  }

  /**
   * Reads the rights of the next turn's tasks again where they are too old. A task that waits for nothing but this reading
   * is read again once only, since slow readings would otherwise be too old each time.
   * @param oldest when the oldest reading that still holds ended
   * @returns resolves when the rights have been read; `undefined` if they have been.
   */
  private refresh(queue: Queue, turn: readonly QueuedTask[], oldest: number): Promise<unknown> | undefined {
    const reading: Promise<void>[] = [];
    const behind = new Set<string>();
    for (const queued of turn) {
      const { prepared, lane } = queued;
      if (!isTooOld(queued, oldest)) continue;
      // Behind a slow reading of its own lane it may have to wait for long, and then is read again.
      queued.readForTurn = !behind.has(lane);
      behind.add(lane);
      const again = this.read(queue, queued, prepared as either.Right<unknown>);
      if (again !== undefined) reading.push(again);
    }
    if (reading.length === 0) return undefined;
    return within(this.deps.clock, REFRESH_MS, Promise.all(reading));
  }

  /** @returns the last of the tasks, if an append would be too large with them: they are not answered yet. */
  private async turn(stream: string, taken: readonly QueuedTask[]): Promise<readonly QueuedTask[]> {
    const { log, states, keys, clock } = this.deps;
    const tasks = taken.map(({ task }) => task);
    const prepared = taken.map((queued) => queued.prepared!);
    const fold = states.fold(stream);
    for (let attempt = 1; ; attempt += 1) {
      const state = await states.take(stream);
      const expected = state.sequence;
      const fork = fold.fork?.(state);
      const onFailure = (failure: unknown) => this.report(stream, failure);
      const { maxAppendBytes } = log;
      const deps = { log, keys, fold, now: clock.wallTime(), maxAppendBytes, onFailure };
      const turn = await decideTurn(stream, tasks, prepared, fork ?? state, deps);
      const decided = taken.slice(0, turn.results.length);
      const later = taken.slice(decided.length);
      const appended = await this.append(stream, expected, turn);
      if (either.isRight(appended)) {
        const events = appended.right;
        try {
          states.keep(stream, fold.adopt?.(turn.state) ?? turn.state);
          this.deps.onStored?.(events);
          if (events.length > 0) this.deps.pace?.stored(stream, events.at(-1)!.position);
          answerAll(decided, turn, events, events.at(-1)?.position ?? (await log.head()));
        } catch (failure) {
          if (events.length === 0) throw failure;
          // What is stored must not be asked for again.
          this.report(stream, failure);
          for (const { answer } of decided) answer(either.left(parleyError('outcomeUnknown')));
        }
        return later;
      }
      if (appended.left.kind === 'refused' && decided.length > 1) {
        // Something in it can never be stored, which is no fault of the other tasks.
        const half = decided.length >>> 1;
        const left = await this.turn(stream, decided.slice(0, half));
        return left.length > 0 ? [...left, ...taken.slice(half)] : this.turn(stream, taken.slice(half));
      }
      if (appended.left.kind !== 'conflict' || attempt === ATTEMPTS) {
        const refused = either.left(refusalOf(appended.left));
        for (const { answer } of decided) answer(refused);
        return later;
      }
      if (turn.events.length > 0) {
        this.deps.onConflict();
        await clock.delay(Math.random() * 2 ** attempt);
      }
      // Other nodes write to this stream too, so only the new events are read.
      if (fork !== undefined || turn.events.length === 0) states.keep(stream, await states.upToEnd(stream, state));
    }
  }

  /** A turn without events is right only if nobody else has appended meanwhile. */
  private async append(stream: string, expected: number, { events }: Turn): ReturnType<EventLog['append']> {
    const { log } = this.deps;
    if (events.length > 0)
      return log.append({ stream, expected, events }).catch((failure: unknown) => {
        this.report(stream, failure);
        return either.left({ kind: 'unknown', reason: 'a bug' });
      });
    const { sequence } = await log.streamHead(stream);
    return sequence === expected ? either.right([]) : either.left({ kind: 'conflict', actual: sequence });
  }
}

/** Whether the task's rights must be read again before it is decided. */
const isTooOld = ({ prepared, readForTurn, readAt, task }: QueuedTask, oldest: number): boolean =>
  !readForTurn && readAt < oldest && task.refresh !== undefined && prepared !== undefined && either.isRight(prepared);

/** The prepared tasks in order of arrival, but none past an earlier task of its own lane; and the rest. */
const nextTurn = (
  queue: Queue,
  mayBeDecided: (queued: QueuedTask) => boolean = () => true,
): { readonly turn: QueuedTask[]; readonly left: QueuedTask[] } => {
  const turn: QueuedTask[] = [];
  const left: QueuedTask[] = [];
  const held = new Set<string>();
  for (const queued of queue.tasks) {
    if (queued.prepared !== undefined && turn.length < TURN && !held.has(queued.lane) && mayBeDecided(queued)) {
      turn.push(queued);
    } else {
      held.add(queued.lane);
      left.push(queued);
    }
  }
  return { turn, left };
};

const answerAll = (
  taken: readonly QueuedTask[],
  turn: Turn,
  appended: readonly ParleyEvent[],
  position: number,
): void => {
  const first = appended[0]?.sequence ?? 0;
  for (const [index, { answer }] of taken.entries()) {
    const result = turn.results[index]!;
    if (either.isLeft(result)) {
      answer(result);
      continue;
    }
    const { from, to, known } = result.right;
    const events = to < from ? [] : appended.slice(from - first, to - first + 1);
    // Those of the same turn have their positions by now.
    const before = known.map((event) => ('position' in event ? event : appended[event.sequence - first]!));
    answer(either.right({ events, known: before, sequence: to, position: events.at(-1)?.position ?? position }));
  }
};
