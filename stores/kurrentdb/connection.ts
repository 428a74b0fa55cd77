/** Connections to KurrentDB (EventStoreDB). */

import { type AppendResult, type EventData, EventStoreDBClient } from '@eventstore/db-client';
import pTimeout from 'p-timeout';
import { BUDGETS } from '../budgets.ts';
import { PlainGuard, retrying } from '../guard.ts';
import { classify, NoAnswer } from './failures.ts';

/** How long a server may take, in milliseconds. */
export interface Patience {
  /** For one answer to one append; then its outcome is unknown and it is tried again. */
  readonly answerMs: number;
  /** For all tries of one append; then its writer is told to come again. */
  readonly triedMs: number;
  /** Between two things that a read yields; then the server counts as gone. */
  readonly silenceMs: number;
}

const { pauseMs, retrySeconds } = BUDGETS.kurrentdb;

/**
 * As the client wants it. It throws on append failures whatever the URL says: with that off, it takes the revision of a
 * conflict from the wrong place. Of several nodes it prefers the leader, which alone knows everything acknowledged.
 * @param url `esdb://` or `kurrentdb://`, with `+discover` for clusters, credentials and parameters
 */
export const connectionStringOf = (url: string): string => {
  const known = url.replace(/^kurrentdb(?=(\+discover)?:)/, 'esdb');
  const leader = /[?&]nodePreference=/i.test(known) ? '' : '&nodePreference=leader';
  return `${known}${known.includes('?') ? '&' : '?'}throwOnAppendFailure=true${leader}`;
};

export const connectTo = (url: string): EventStoreDBClient =>
  EventStoreDBClient.connectionString(connectionStringOf(url));

/** @throws NoAnswer when it takes too long; what comes later is not listened to any more */
const within = <T>(ms: number, answer: Promise<T>): Promise<T> =>
  pTimeout(answer, {
    milliseconds: ms,
    fallback: () => {
      throw new NoAnswer(ms);
    },
  });

const guard = new PlainGuard('log', retrySeconds, classify);

/**
 * Asks once more after a failed connection: the first question after a restart or a change of leader only finds out.
 * @throws StoreUnavailable when the server cannot be asked
 */
export const asking = <T>(ask: () => Promise<T>): Promise<T> => {
  let tries = 0;
  const again = (error: unknown) => {
    tries += 1;
    return tries === 1 && classify(error) === 'transient' && !(error instanceof NoAnswer);
  };
  return guard.run(() => retrying(ask, { again, firstMs: pauseMs, longestMs: pauseMs }));
};

type ExpectedRevision = bigint | 'no_stream';

/**
 * The one connection of a log that appends: the client sends batches through one stream (`BatchAppend`) and knows their
 * outcomes by ids that are shared by all its instances in the process. A stream that breaks fails the appends of every
 * instance, and an answer to one failed so would be an error that nobody can catch. Therefore nothing else goes through
 * this connection, and the former is closed before there is another.
 */
export class AppendingConnection {
  private readonly url: string;
  private readonly answerMs: number;
  private client: EventStoreDBClient;
  /** Answers that have come. */
  private answers = 0;
  private renewing: Promise<void> | undefined;

  /** @param answerMs how long one answer may take, in milliseconds */
  constructor(url: string, answerMs: number) {
    this.url = url;
    this.answerMs = answerMs;
    this.client = connectTo(url);
  }

  /**
   * @param expectedRevision always said: with "any" the server knows repetitions only from a small memory
   * @throws what the server answered; what is transient leaves the outcome unknown
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
      // The server may leave one append unanswered; when it has answered none, nothing will come through this connection.
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
