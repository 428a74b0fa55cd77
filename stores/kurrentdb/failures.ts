/** Classifies failures of KurrentDB (EventStoreDB): caused by the request, the server or our rights. */

import { ErrorType } from '@eventstore/db-client';
import { type FailureKind, isBug, reasonOf } from '../guard.ts';

/** The server has been silent for too long. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`KurrentDB has not answered within ${ms} ms`);
  }
}

export const typeOf = (error: unknown): ErrorType | undefined =>
  (error as { type?: ErrorType } | null | undefined)?.type;

/** Errors that a retry would meet again. */
const OF_THE_QUESTION: ReadonlySet<ErrorType | undefined> = new Set([
  ErrorType.INVALID_ARGUMENT,
  ErrorType.STREAM_DELETED,
]);

/** For what the client says of reads. Any other error of the server or the connection, known or not, may pass. */
export const classify = (failure: unknown): FailureKind => {
  const type = typeOf(failure);
  if (isBug(failure)) return 'bug';
  if (type === ErrorType.ACCESS_DENIED) return 'damaged';
  return OF_THE_QUESTION.has(type) ? 'permanent' : 'transient';
};

/** The server refused the start of a read. Positions are offsets in its files, and a record must begin there. */
export const isMisplaced = (error: unknown): boolean =>
  typeOf(error) === ErrorType.UNKNOWN &&
  /Unexpected ReadAllResult|invalid ?position|from an invalid position/i.test(reasonOf(error));

/** An answer that some servers give to a misplaced start, and to much else. */
export const mayBeMisplaced = (error: unknown): boolean =>
  typeOf(error) === ErrorType.UNKNOWN && /thrown by handler/i.test(reasonOf(error));
