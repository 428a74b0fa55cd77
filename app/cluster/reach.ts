/** Waiting for a server: reports each failed try, its reason, and the time of the next. */

import type { Clock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { retrying, shortReason } from '../../stores/guard.ts';
import { classify, isLoginRefused } from '../../stores/kafka/failures.ts';
import { hostsOf } from '../../stores/urls.ts';
import type { ServerAddress } from './places.ts';

/** Reports to people who start a process or a command what it is waiting for. */
export type Say = (line: string) => void;

/** What the stores' guards make of every failure that their driver's `classify` calls transient. */
const isUnavailable = (failure: unknown): boolean => failure instanceof StoreUnavailable;

/** Nothing guards Kafka. */
export const kafkaIsUnavailable = (failure: unknown): boolean =>
  classify(failure) === 'transient' && !isLoginRefused(failure);

export const waitingLine = ({ name, variable, url }: ServerAddress, reason: string, nextMs?: number): string =>
  `${name} (${variable}) cannot be reached at ${hostsOf(url)}: ${reason}. Parley waits for it and tries again${
    nextMs === undefined ? '' : ` in ${(nextMs / 1000).toFixed(1)} s`
  }.`;

/**
 * Tries until the server answers.
 * @param say called for every failed try
 * @param again whether another try may succeed; default: for StoreUnavailable alone
 * @param signal ends the waiting
 * @throws at once if another try cannot succeed: wrong credentials, no such database, a store of a newer version
 * @throws Stopped
 */
export const reach = <T>(
  place: ServerAddress,
  open: () => Promise<T>,
  say: Say,
  clock: Clock,
  again: (failure: unknown) => boolean = isUnavailable,
  signal?: AbortSignal,
): Promise<T> =>
  retrying(open, {
    clock,
    again,
    signal,
    firstMs: 250,
    onRetry: (failure, _, nextMs) => say(waitingLine(place, shortReason(failure), nextMs)),
  });
