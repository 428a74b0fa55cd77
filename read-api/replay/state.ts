/** A stream's folded state as it was. */
import { foldOf } from '../../domain/folds.ts';
import type { LogReader } from '../../log/port.ts';
import type { At } from './query.ts';

const EVENTS_PER_READ = 1000;

export interface StateThen {
  readonly stream: string;
  /** Of the last event folded in. */
  readonly sequence: number;
  readonly time: string | null;
  readonly state: unknown;
}

/**
 * Folds the stream from its first event through the last one at or before `at`; all of it when nothing is given.
 * @returns `undefined` for a name that no kind of stream has
 */
export const stateAt = async (
  log: Pick<LogReader, 'readStream'>,
  stream: string,
  at: At | undefined,
): Promise<StateThen | undefined> => {
  const fold = foldOf(stream);
  if (fold === undefined) return undefined;
  const lastSequence = at !== undefined && 'sequence' in at ? at.sequence : Number.MAX_SAFE_INTEGER;
  const lastTime = at !== undefined && 'time' in at ? at.time : Number.POSITIVE_INFINITY;
  let state = fold.initial();
  let sequence = 0;
  let time: number | null = null;
  for (;;) {
    const events = await log.readStream({ stream, from: sequence + 1, limit: EVENTS_PER_READ });
    for (const event of events) {
      if (event.sequence > lastSequence || event.time > lastTime) break;
      state = fold.evolve(state, event);
      sequence = event.sequence;
      time = event.time;
    }
    if (events.length < EVENTS_PER_READ || sequence !== events.at(-1)!.sequence) break;
  }
  return { stream, sequence, time: time === null ? null : new Date(time).toISOString(), state: fold.toJson(state) };
};
