/** One stream of appends (`BatchAppend`) over a connection of its own, from opening to its end. */

import { randomUUID } from 'node:crypto';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type {
  BatchAppendReq as BatchAppendReqMessage,
  BatchAppendResp as BatchAppendRespMessage,
} from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../budgets.ts';
import { AppendFailed, endOfStream, notAnswered, type StreamEnd } from './append-failures.ts';
import { answeredBy, type Batch, type BatchOutcome, outcomeOf, requestOf } from './append-messages.ts';
import { type Endpoint, nameOf, OWN_CONNECTION, type Servers } from './servers.ts';

const { aliveMs, deadlineMs, proofMs } = BUDGETS.kurrentdb;

const CHANNEL = {
  ...OWN_CONNECTION,
  // A message sent again on another connection would arrive unknown to this stream.
  'grpc.enable_retries': 0,
  // Also without calls: what a closed channel leaves of a dead connection ends by this.
  'grpc.keepalive_time_ms': aliveMs,
  'grpc.keepalive_timeout_ms': aliveMs,
  'grpc.keepalive_permit_without_calls': 1,
};

interface Waiting {
  readonly batch: Batch;
  readonly settle: (how: () => void) => void;
  readonly resolve: (outcome: BatchOutcome) => void;
  readonly reject: (failure: AppendFailed) => void;
}

/**
 * open: takes appends. draining: takes none, and still hears the answers to those it has. closed: its connection is
 * given up, and whatever arrives is ignored.
 */
type Life = 'open' | 'draining' | 'closed';

export class AppendStream {
  readonly host: string;
  /** Resolves when the server has answered once, the stream has ended, or neither happens soon. */
  readonly proof: Promise<void>;
  /** Answers received. */
  answers = 0;
  private life: Life = 'open';
  private readonly clock: Clock;
  private readonly answerMs: number;
  private readonly client: InstanceType<typeof streamsService.StreamsClient>;
  private readonly call: ClientDuplexStream<BatchAppendReqMessage, BatchAppendRespMessage>;
  private readonly onClosed: (end: StreamEnd | undefined) => void;
  private readonly waiting = new Map<string, Waiting>();
  private sent = 0;
  private isConnected = false;
  private isClaimed = false;
  private isProven = false;
  private prove: () => void = () => {};

  /**
   * @param answerMs how long one answer may take, in milliseconds
   * @param onClosed called once; with the reason if the server or the connection ended it
   */
  constructor(
    server: Endpoint,
    { credentials, metadata }: Servers,
    answerMs: number,
    clock: Clock,
    onClosed: (end: StreamEnd | undefined) => void,
  ) {
    this.host = nameOf(server);
    this.clock = clock;
    this.answerMs = answerMs;
    this.onClosed = onClosed;
    this.proof = new Promise((resolve) => {
      this.prove = () => {
        this.isProven = true;
        resolve();
      };
    });
    const cancel = clock.setTimer(proofMs, () => this.prove());
    void this.proof.then(cancel);
    this.client = new streamsService.StreamsClient(this.host, credentials, CHANNEL);
    this.client.waitForReady(Number.POSITIVE_INFINITY, (error) => {
      this.isConnected = error === undefined;
    });
    this.call = this.client.batchAppend(metadata, { deadline: Number.POSITIVE_INFINITY });
    this.call
      .on('data', (answer: BatchAppendRespMessage) => this.hear(answer))
      .on('error', (error: ServiceError) => this.end(endOfStream(error, this.host)))
      .on('end', () =>
        this.end({ message: `KurrentDB at ${this.host} ended the connection`, passing: true, turnedAway: false }),
      );
  }

  get isOpen(): boolean {
    return this.life === 'open';
  }

  /**
   * Whether the caller may send. Until the server has answered once, one append goes alone: if the server then turns
   * the stream away, it is sure that nothing of it is stored.
   */
  admits(): boolean {
    if (!this.isOpen || (this.isClaimed && !this.isProven)) return false;
    this.isClaimed = true;
    return true;
  }

  /**
   * Only for whoever is admitted, at once.
   * @param signal ends the waiting
   * @throws AppendFailed
   */
  send(batch: Batch, signal: AbortSignal): Promise<BatchOutcome> {
    return new Promise((resolve, reject) => {
      const id = randomUUID();
      const { answers } = this;
      const settle = (how: () => void): void => {
        if (!this.waiting.delete(id)) return;
        cancel();
        signal.removeEventListener('abort', givenUp);
        how();
        if (this.life === 'draining' && this.waiting.size === 0) this.close();
      };
      const late = (): AppendFailed => notAnswered(this.host, this.answerMs, this.isConnected);
      const givenUp = (): void => settle(() => reject(late()));
      const cancel = this.clock.setTimer(this.answerMs, () => {
        // The server may leave one append unanswered. If it has answered none, this connection is dead.
        if (this.answers === answers) this.drain();
        givenUp();
      });
      signal.addEventListener('abort', givenUp);
      this.sent += 1;
      this.waiting.set(id, { batch, settle, resolve, reject });
      // The server takes the lesser of this and its own limit. Far ahead, no difference between two clocks matters.
      this.call.write(requestOf(batch, id, new Date(this.clock.wallTime() + deadlineMs)));
    });
  }

  /** Takes no more appends, and closes once those that wait are answered or late. */
  drain(): void {
    if (!this.isOpen) return;
    this.life = 'draining';
    this.prove();
    if (this.waiting.size === 0) this.close();
  }

  /** Gives the connection up. Whatever waits is answered by `end`. */
  close(): void {
    this.end(undefined);
  }

  private hear(answer: BatchAppendRespMessage): void {
    this.answers += 1;
    this.prove();
    const waiting = this.waiting.get(answeredBy(answer));
    // An answer after its time is no news: the append has been sent again.
    if (waiting === undefined) return;
    const { batch, settle, resolve, reject } = waiting;
    settle(() => {
      try {
        resolve(outcomeOf(answer, batch, this.host));
      } catch (failure) {
        reject(failure as AppendFailed);
      }
    });
  }

  private end(end: StreamEnd | undefined): void {
    if (this.life === 'closed') return;
    this.life = 'closed';
    // If only one was sent, that is the one. Of several, the first may have been taken while this server still led.
    const isUntouched = end?.turnedAway === true && this.answers === 0 && this.sent === 1;
    const mayBeStored = this.isConnected && !isUntouched;
    const { message, passing } = end ?? {
      message: `The connection to KurrentDB at ${this.host} is closed`,
      passing: true,
    };
    for (const { settle, reject } of [...this.waiting.values()])
      settle(() => reject(new AppendFailed(message, { passing, mayBeStored })));
    this.prove();
    this.call.cancel();
    this.client.close();
    this.onClosed(end);
  }
}
