/**
 * One mailbox per stream. What waits on the same stream is decided one after another against the folded state and
 * appended in one batch; decided state counts only after the commit.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Decision } from '../domain/decider.ts';
import type { AppendError, EventLog } from '../log/port.ts';
import { type ParleyError, parleyError } from '../schemas/errors.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import type { Spans } from '../telemetry/spans.ts';
import type { KeyRing } from '../vault/sealing.ts';
import type { StateStore } from './states.ts';
import { type Cause, decideTurn, type Since, type Turn } from './turn.ts';

export interface Task<State, Prepared> {
  readonly stream: string;
  readonly cause: Cause;
  /** Reads what the decision needs from outside the stream: limits, rights, facts of a message. */
  readonly prepare: () => Promise<Either<ParleyError, Prepared>>;
  readonly decide: (state: State, prepared: Prepared, since: Since) => Decision | Promise<Decision>;
}

export interface Done {
  /** The task's own events; empty when there was nothing to record. */
  readonly events: readonly ParleyEvent[];
  /** Sequence of the event that carried the same key before. */
  readonly known: number | undefined;
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
  readonly now: () => number;
  /** Counts appends that found the stream further on than this node knew. */
  readonly onConflict: () => void;
  /** Left out where nothing is traced. */
  readonly spans?: Spans | undefined;
}

interface Waiting {
  readonly task: Task<never, unknown>;
  readonly resolve: (outcome: Outcome) => void;
}

/** Most tasks of one turn: bounds the size of an append. */
const TURN = 512;
/** Conflicts come from other nodes only; ten in a row mean that this one does not get a turn. */
const ATTEMPTS = 10;

const refusalOf = (error: AppendError): ParleyError =>
  error.kind === 'full'
    ? parleyError('diskFull', { retryAfter: 30 })
    : parleyError('unavailable', { retryAfter: error.kind === 'conflict' ? 1 : 5 });

const unavailable = () => either.left(parleyError('unavailable', { retryAfter: 1 }));

const preparation = async (task: Task<never, unknown>): Promise<Either<ParleyError, unknown>> => {
  try {
    return await task.prepare();
  } catch {
    return unavailable();
  }
};

/** A span from the place in the queue until it is decided, and one for each time that it is decided anew. */
const traced = <State, Prepared>(task: Task<State, Prepared>, spans: Spans): Task<State, Prepared> => {
  const begin = () => spans.step('decide', task.cause, { 'parley.stream': task.stream });
  let queued = begin();
  if (queued === undefined) return task;
  return {
    ...task,
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
  private readonly queues = new Map<string, Waiting[]>();

  constructor(deps: MailboxDeps) {
    this.deps = deps;
  }

  /** Takes its place in the stream's queue before it returns. Never rejects. */
  run<State, Prepared>(task: Task<State, Prepared>): Promise<Outcome> {
    const { spans } = this.deps;
    const own = spans === undefined ? task : traced(task, spans);
    return new Promise((resolve) => {
      const waiting: Waiting = { task: own as unknown as Task<never, unknown>, resolve };
      const queue = this.queues.get(task.stream);
      if (queue !== undefined) {
        queue.push(waiting);
        return;
      }
      this.queues.set(task.stream, [waiting]);
      void this.work(task.stream);
    });
  }

  private async work(stream: string): Promise<void> {
    const queue = this.queues.get(stream)!;
    // Whoever submits in the same step joins the first batch.
    await Promise.resolve();
    while (queue.length > 0) {
      const turn = queue.splice(0, TURN);
      try {
        await this.turn(stream, turn);
      } catch {
        // The stream's state could not be read.
        for (const { resolve } of turn) resolve(unavailable());
      }
    }
    this.queues.delete(stream);
  }

  private async turn(stream: string, waiting: readonly Waiting[]): Promise<void> {
    const { log, states, keys } = this.deps;
    const tasks = waiting.map(({ task }) => task);
    const prepared = await Promise.all(tasks.map(preparation));
    const fold = states.fold(stream);
    for (let attempt = 1; ; attempt += 1) {
      const state = await states.take(stream);
      const expected = state.sequence;
      const fork = fold.fork?.(state);
      const deps = { log, keys, fold, now: this.deps.now() };
      const turn = await decideTurn(stream, tasks, prepared, fork ?? state, deps);
      const appended = await this.append(stream, expected, turn);
      if (either.isRight(appended)) {
        states.keep(stream, fold.settle?.(turn.state) ?? turn.state);
        const events = appended.right;
        return settle(waiting, turn, events, events.at(-1)?.position ?? (await log.head()));
      }
      if (appended.left.kind !== 'conflict' || attempt === ATTEMPTS) {
        const refused = either.left(refusalOf(appended.left));
        for (const { resolve } of waiting) resolve(refused);
        return;
      }
      if (turn.events.length > 0) {
        this.deps.onConflict();
        await delay(Math.random() * 2 ** attempt);
      }
      // On a stream that several nodes write to, only what is new is read.
      if (fork !== undefined || turn.events.length === 0) states.keep(stream, await states.upToEnd(stream, state));
    }
  }

  /** What decided nothing was decided rightly only if nobody else has appended meanwhile. */
  private async append(stream: string, expected: number, { events }: Turn): ReturnType<EventLog['append']> {
    const { log } = this.deps;
    if (events.length > 0) return log.append({ stream, expected, events });
    const { sequence } = await log.streamHead(stream);
    return sequence === expected ? either.right([]) : either.left({ kind: 'conflict', actual: sequence });
  }
}

const settle = (waiting: readonly Waiting[], turn: Turn, appended: readonly ParleyEvent[], position: number): void => {
  const first = appended[0]?.sequence ?? 0;
  for (const [index, { resolve }] of waiting.entries()) {
    const result = turn.results[index]!;
    if (either.isLeft(result)) {
      resolve(result);
      continue;
    }
    const { from, to, known } = result.right;
    const events = to < from ? [] : appended.slice(from - first, to - first + 1);
    resolve(either.right({ events, known, sequence: to, position: events.at(-1)?.position ?? position }));
  }
};
