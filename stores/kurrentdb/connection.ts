/** Connections to KurrentDB (EventStoreDB). */

import { EventStoreDBClient } from '@eventstore/db-client';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../budgets.ts';
import { PlainGuard, retrying } from '../guard.ts';
import { classify, NoAnswer } from './failures.ts';

/** How long a server may take, in milliseconds. */
export interface Patience {
  /** For one answer to one append. After that its outcome is unknown and it is retried. */
  readonly answerMs: number;
  /** From an append to its answer, whatever happens meanwhile. After that its writer must try again. */
  readonly triedMs: number;
  /** Between two items of a read. After that the server counts as gone. */
  readonly silenceMs: number;
}

const { pauseMs, retrySeconds } = BUDGETS.kurrentdb;

/**
 * The URL in the client's form. Of several nodes it prefers the leader, the only one sure to hold all acknowledged
 * events.
 * @param url `esdb://` or `kurrentdb://`, with `+discover` for clusters, credentials and parameters
 */
export const connectionStringOf = (url: string): string => {
  const known = url.replace(/^kurrentdb(?=(\+discover)?:)/, 'esdb');
  if (/[?&]nodePreference=/i.test(known)) return known;
  return `${known}${known.includes('?') ? '&' : '?'}nodePreference=leader`;
};

export const connectTo = (url: string): EventStoreDBClient =>
  EventStoreDBClient.connectionString(connectionStringOf(url));

const guard = new PlainGuard('log', retrySeconds, classify);

/**
 * Asks once more after a failed connection: the first request after a restart or a change of leader only detects it.
 * @throws StoreUnavailable when the server cannot answer
 */
export const asking = <T>(clock: Clock, ask: () => Promise<T>): Promise<T> => {
  let tries = 0;
  const again = (error: unknown) => {
    tries += 1;
    return tries === 1 && classify(error) === 'transient' && !(error instanceof NoAnswer);
  };
  return guard.run(() => retrying(ask, { clock, again, firstMs: pauseMs, longestMs: pauseMs }));
};
