/**
 * A log's appends: one stream to the leader at a time, another when it dies. The client's own appends end the process
 * when connections break (docs/log-kurrentdb.md), so it only reads.
 */

import { type Clock, unlessAborted } from '../../schemas/clock.ts';
import { BUDGETS } from '../budgets.ts';
import { reasonOf } from '../guard.ts';
import { AppendFailed } from './append-failures.ts';
import type { Batch, BatchOutcome } from './append-messages.ts';
import { AppendStream } from './append-stream.ts';
import type { AppendTime } from './append-time.ts';
import { leaderOf } from './leader.ts';
import { type Endpoint, type Servers, serversOf } from './servers.ts';

const { pauseMs } = BUDGETS.kurrentdb;

const TOO_MANY = new AppendFailed('Too many appends wait for KurrentDB', { passing: true, mayBeStored: false });

export class AppendingConnection {
  private readonly servers: Servers;
  private readonly answerMs: number;
  private readonly clock: Clock;
  private readonly streams = new Set<AppendStream>();
  private current: AppendStream | undefined;
  private opening: Promise<void> | undefined;
  private openedAt = Number.NEGATIVE_INFINITY;
  /** Named by the node that turned the last stream away; tried once. */
  private leader: Endpoint | undefined;
  private failure: AppendFailed | undefined;
  private isClosed = false;

  /**
   * @param answerMs how long one answer may take, in milliseconds
   * @throws when the URL is malformed, or names certificates that cannot be read
   */
  constructor(url: string, answerMs: number, clock: Clock) {
    this.servers = serversOf(url);
    this.answerMs = answerMs;
    this.clock = clock;
  }

  /** Why an append that was never sent had to wait. */
  get trouble(): AppendFailed {
    return this.failure ?? TOO_MANY;
  }

  /** @throws AppendFailed, or the reason of `time.sending` if nothing was sent by then */
  async append(batch: Batch, time: AppendTime): Promise<BatchOutcome> {
    try {
      const outcome = await this.send(batch, time);
      this.failure = undefined;
      return outcome;
    } catch (failure) {
      if (failure instanceof AppendFailed && failure.passing) this.failure = failure;
      throw failure;
    }
  }

  /** Ends whatever waits. */
  close(): void {
    this.isClosed = true;
    for (const stream of this.streams) stream.close();
  }

  private async send(batch: Batch, { sending, waiting }: AppendTime): Promise<BatchOutcome> {
    for (;;) {
      const { current } = this;
      if (current?.admits()) return current.send(batch, waiting);
      if (current?.isOpen) await unlessAborted(current.proof, sending);
      else {
        this.opening ??= this.open();
        await unlessAborted(this.opening, sending);
      }
    }
  }

  /** @throws AppendFailed when no leader is found */
  private async open(): Promise<void> {
    try {
      await this.clock.delay(Math.max(0, this.openedAt + pauseMs - this.clock.monotonic()));
      this.openedAt = this.clock.monotonic();
      const server = await this.choose();
      if (this.isClosed) throw new Error('The connection to KurrentDB is closed');
      const stream = new AppendStream(server, this.servers, this.answerMs, this.clock, (end) => {
        this.streams.delete(stream);
        if (end?.leader !== undefined) this.leader = end.leader;
      });
      this.streams.add(stream);
      this.current = stream;
    } catch (failure) {
      throw new AppendFailed(reasonOf(failure), { passing: true, mayBeStored: false }, { cause: failure });
    } finally {
      this.opening = undefined;
    }
  }

  private async choose(): Promise<Endpoint> {
    const { leader, servers } = this;
    this.leader = undefined;
    if (leader !== undefined) return leader;
    return servers.isCluster ? leaderOf(servers, this.clock) : servers.endpoints[0]!;
  }
}
