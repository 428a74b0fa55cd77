/** What failures of KurrentDB (EventStoreDB) say: of what was asked, of the server, or of our rights. */

import { ErrorType } from '@eventstore/db-client';
import { type FailureKind, isValueFault, reasonOf } from '../guard.ts';

/** The server has said nothing for too long: nobody knows what became of the question. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`KurrentDB has not answered within ${ms} ms`);
  }
}

export const typeOf = (error: unknown): ErrorType | undefined =>
  (error as { type?: ErrorType } | null | undefined)?.type;

/** Answers that another try would meet again, and that mean that nothing was stored. */
const OF_THE_QUESTION: ReadonlySet<ErrorType | undefined> = new Set([
  ErrorType.INVALID_ARGUMENT,
  ErrorType.STREAM_DELETED,
  ErrorType.WRONG_EXPECTED_VERSION,
  ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED,
  ErrorType.MISSING_REQUIRED_METADATA_PROPERTY,
]);

/** Whatever else the server or the connection says, known or not, leaves open what became of the question. */
export const classify = (failure: unknown): FailureKind => {
  const type = typeOf(failure);
  if (type === ErrorType.ACCESS_DENIED) return 'damaged';
  return OF_THE_QUESTION.has(type) || isValueFault(failure) ? 'permanent' : 'transient';
};

/** The server did not take where a read was to begin: positions are places in its files, where a record must begin. */
export const isMisplaced = (error: unknown): boolean =>
  typeOf(error) === ErrorType.UNKNOWN && /invalid ?position/i.test(reasonOf(error));
