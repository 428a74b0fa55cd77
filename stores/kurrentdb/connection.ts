/** Connections to KurrentDB (EventStoreDB). */

import { type AppendResult, type EventData, EventStoreDBClient } from '@eventstore/db-client';
import pTimeout from 'p-timeout';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../budgets.ts';
import { PlainGuard, retrying } from '../guard.ts';
import { classify, NoAnswer } from './failures.ts';

/** How long a server may take, in milliseconds. */
export interface Patience {
  /** For one answer to one append. After that its outcome is unknown and it is retried. */
  readonly answerMs: number;
  /** For all tries of one append. After that its writer must try again. */
  readonly triedMs: number;
  /** Between two items of a read. After that the server counts as gone. */
  readonly silenceMs: number;
}

const { pauseMs, retrySeconds } = BUDGETS.kurrentdb;

/**
 * The URL in the client's form. Append failures always throw: with that off, the client takes the revision of a
 * conflict from the wrong place. Of several nodes it prefers the leader, the only one sure to hold all acknowledged
 * events.
 * @param url `esdb://` or `kurrentdb://`, with `+discover` for clusters, credentials and parameters
 */
export const connectionStringOf = (url: string): string => {
  const known = url.replace(/^kurrentdb(?=(\+discover)?:)/, 'esdb');
  const leader = /[?&]nodePreference=/i.test(known) ? '' : '&nodePreference=leader';
  return `${known}${known.includes('?') ? '&' : '?'}throwOnAppendFailure=true${leader}`;
};

export const connectTo = (url: string): EventStoreDBClient =>
  EventStoreDBClient.connectionString(connectionStringOf(url));

/** @throws NoAnswer when it takes too long; a later answer is ignored */
const within = <T>(ms: number, answer: Promise<T>): Promise<T> =>
  pTimeout(answer, {
    milliseconds: ms,
    fallback: () => {
      throw new NoAnswer(ms);
    },
  });

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

type ExpectedRevision = bigint | 'no_stream';

/**
 * A log's one connection for appends. The client sends batches through one stream (`BatchAppend`) and matches outcomes
 * by ids shared by all its instances in the process. A stream that breaks fails the appends of every instance, and a
 * late answer to such an append would be an error that nobody can catch. So this connection carries nothing else, and
 * the old one is closed before a new one opens.
 */
export class AppendingConnection {
  private readonly url: string;
  private readonly answerMs: number;
  private client: EventStoreDBClient;
  /** Number of answers received. */
  private answers = 0;
  private renewing: Promise<void> | undefined;

  /** @param answerMs how long one answer may take, in milliseconds */
  constructor(url: string, answerMs: number) {
    this.url = url;
    this.answerMs = answerMs;
    this.client = connectTo(url);
  }

  /**
   * @param expectedRevision always given: with "any" the server recognizes repetitions only from a small cache
   * @throws the server's error; a transient one leaves the outcome unknown
   */
  async append(stream: string, events: EventData[], expectedRevision: ExpectedRevision): Promise<AppendResult> {
    await this.renewing;
    const { client, answers } = this;
    try {
      const options = { expectedRevision, requiresLeader: true, deadline: this.answerMs };
      const result = await within(this.answerMs, client.appendToStream(stream, events, options));
      this.answers += 1;
      return result;
    } catch (error) {
      if (classify(error) !== 'transient') this.answers += 1;
      // The server may leave one append unanswered. If it has answered none, this connection is dead.
      else if (this.client === client && this.answers === answers) this.renewing ??= this.renew();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.renewing;
    await this.client.dispose();
  }

  private async renew(): Promise<void> {
    await this.client.dispose();
    this.client = connectTo(this.url);
    this.renewing = undefined;
  }
}
