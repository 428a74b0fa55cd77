/**
 * The one connection of a log that appends: the client sends batches through one stream (`BatchAppend`) and knows their
 * outcomes by ids that are shared by all its instances in the process. A stream that breaks fails the appends of every
 * instance, and an answer to one failed so would be an error that nobody can catch. Therefore nothing else goes through
 * this connection, and the former is closed before there is another.
 */
import type { AppendResult, EventData, EventStoreDBClient } from '@eventstore/db-client';
import { connectTo, isFinal, within } from './connection.ts';

export type ExpectedRevision = bigint | 'no_stream';

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
