/** From a failure of a store to the answer of an append. */

import { isStorable } from '../schemas/text.ts';
import { type Classify, reasonOf } from '../stores/guard.ts';
import type { AppendError, AppendRequest } from './port.ts';

/** The events may have been stored before the failure, or may still be. */
export class OutcomeUnknown extends Error {
  constructor(cause: unknown, said = `It is not known whether the events were stored: ${reasonOf(cause)}`) {
    super(said, { cause });
  }
}

/** The log takes nothing any more. */
export class LogClosed extends Error {
  constructor(why = 'The event log is closed.') {
    super(why);
  }
}

/** @param isFull whether the failure means that there is no space left */
export const appendErrorOf = (
  failure: unknown,
  classify: Classify,
  isFull: (failure: unknown) => boolean = () => false,
): AppendError => {
  if (failure instanceof OutcomeUnknown) return { kind: 'unknown', reason: failure.message };
  if (isFull(failure)) return { kind: 'full' };
  const mayPass = failure instanceof LogClosed || classify(failure) === 'transient';
  return { kind: mayPass ? 'unavailable' : 'refused', reason: reasonOf(failure) };
};

/** Refuses data that no JSON can hold, before anything is sent. */
export const refusalOfData = ({ events }: AppendRequest): AppendError | undefined => {
  try {
    for (const { data } of events) JSON.stringify(data);
    return undefined;
  } catch (failure) {
    return { kind: 'refused', reason: reasonOf(failure) };
  }
};

const isKept = (text: string | null): boolean => text === null || isStorable(text);

/**
 * Refuses what only some stores give back as it was: NUL and halves of surrogate pairs in the name of a stream or in an
 * event's envelope, which is kept as text. In `data` they do no harm, because JSON escapes them.
 */
export const refusalOfText = ({ stream, events }: AppendRequest): AppendError | undefined => {
  const kept =
    isKept(stream) &&
    events.every(
      ({ id, actor, key, correlationId, causationId, traceparent }) =>
        isKept(id) &&
        isKept(actor) &&
        isKept(key) &&
        isKept(correlationId) &&
        isKept(causationId) &&
        isKept(traceparent),
    );
  return kept
    ? undefined
    : { kind: 'refused', reason: `an event for ${JSON.stringify(stream)} holds NUL or half of a surrogate pair` };
};
