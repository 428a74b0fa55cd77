/** Classifies failures of Kafka: caused by the records, the brokers or the topic. */

import { classifying } from '../guard.ts';

/** The topic differs from the configuration; waiting does not help. */
export class WrongPartitions extends Error {
  override readonly name = 'WrongPartitions';

  constructor(topic: string, actual: number, wanted: number) {
    super(
      `The topic ${topic} has ${actual} partitions, PARLEY_PARTITIONS says ${wanted}. The number never changes in place: set it to ${actual}, or use another PARLEY_NAMESPACE.`,
    );
  }
}

/** Errors of the records themselves, by the protocol's names. */
const OF_THE_RECORDS: ReadonlySet<unknown> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

/** All other failures, known or not, may pass: while a process runs, rights are granted and brokers come back. */
export const classify = classifying((failure) => {
  if (failure instanceof WrongPartitions) return 'damaged';
  const { type, cause } = (failure ?? {}) as { readonly type?: unknown; readonly cause?: { readonly type?: unknown } };
  if (OF_THE_RECORDS.has(type) || OF_THE_RECORDS.has(cause?.type)) return 'permanent';
  return 'transient';
});

/** A wrong user or password. It may pass while a process runs, because passwords change; at a start it has to be mended. */
export const isLoginRefused = (failure: unknown): boolean =>
  (failure as { name?: unknown } | null | undefined)?.name === 'KafkaJSSASLAuthenticationError';
