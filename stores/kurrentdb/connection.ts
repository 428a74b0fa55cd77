/** Connections to KurrentDB (EventStoreDB), and what their failures say about what was asked. */

import { setTimeout as delay } from 'node:timers/promises';
import { type AppendResult, ErrorType, type EventData, EventStoreDBClient } from '@eventstore/db-client';
import pTimeout from 'p-timeout';
import { StoreUnavailable } from '../../schemas/errors.ts';

/** How long a server may take, in milliseconds. */
export interface Patience {
  /** For one answer to one append; then its outcome is unknown and it is tried again. */
  readonly answerMs: number;
  /** For all tries of one append; then its writer is told to come again. */
  readonly triedMs: number;
  /** Between two things that a read yields; then the server counts as gone. */
  readonly silenceMs: number;
}

/** A server gives up a write by itself after two seconds, and answers so. */
export const PATIENCE: Patience = { answerMs: 2_500, triedMs: 8_000, silenceMs: 10_000 };

const RETRY_SECONDS = 2;
const PAUSE_MS = 100;

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

/** The server has said nothing for too long: nobody knows what became of the question. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`KurrentDB has not answered within ${ms} ms`);
  }
}

export const typeOf = (error: unknown): ErrorType | undefined => (error as { type?: ErrorType }).type;

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Answers of the server that another try would meet again, and that mean that nothing was stored. */
const FINAL: ReadonlySet<ErrorType | undefined> = new Set([
  ErrorType.ACCESS_DENIED,
  ErrorType.INVALID_ARGUMENT,
  ErrorType.STREAM_DELETED,
  ErrorType.WRONG_EXPECTED_VERSION,
  ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED,
  ErrorType.MISSING_REQUIRED_METADATA_PROPERTY,
]);
export const isFinal = (error: unknown): boolean => FINAL.has(typeOf(error));

const PASSING: ReadonlySet<ErrorType | undefined> = new Set([
  ErrorType.UNAVAILABLE,
  ErrorType.CANCELLED,
  ErrorType.DEADLINE_EXCEEDED,
  ErrorType.TIMEOUT,
  ErrorType.NOT_LEADER,
]);
/** The connection or the node failed, not the question. The client has then looked for another connection. */
const isPassing = (error: unknown): boolean =>
  error instanceof NoAnswer || typeOf(error) === undefined || PASSING.has(typeOf(error));

/** The server did not take where a read was to begin: positions are places in its files, where a record must begin. */
export const isMisplaced = (error: unknown): boolean =>
  typeOf(error) === ErrorType.UNKNOWN && /invalid ?position/i.test(reasonOf(error));

/** @throws NoAnswer when it takes too long; what comes later is not listened to any more */
const within = <T>(ms: number, answer: Promise<T>): Promise<T> =>
  pTimeout(answer, {
    milliseconds: ms,
    fallback: () => {
      throw new NoAnswer(ms);
    },
  });

/**
 * Asks once more after a failed connection: the first question after a restart or a change of leader only finds out.
 * @throws StoreUnavailable when the server cannot be asked
 */
export const asking = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (let again = false; ; again = true) {
    try {
      return await ask();
    } catch (error) {
      if (isFinal(error)) throw error;
      if (again || error instanceof NoAnswer || !isPassing(error))
        throw new StoreUnavailable('log', RETRY_SECONDS, { cause: error });
      await delay(PAUSE_MS);
    }
  }
};

/** The one connection of a log that appends: the client sends batches through one stream (`BatchAppend`) and knows their
 * outcomes by ids that are shared by all its instances in the process. A stream that breaks fails the appends of every
 * instance, and an answer to one failed so would be an error that nobody can catch. Therefore nothing else goes through
 * this connection, and the former is closed before there is another. */
type ExpectedRevision = bigint | 'no_stream';

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
   * @throws what the server answered; anything that is not `isFinal` leaves the outcome unknown
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
      if (isFinal(error)) this.answers += 1;
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
