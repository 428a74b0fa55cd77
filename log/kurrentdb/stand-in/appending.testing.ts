/** Appending, as the server does it, with any fault a spec wants. */

import type {
  BatchAppendReq as BatchAppendReqMessage,
  BatchAppendResp as BatchAppendRespMessage,
} from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { batchAnswerOf, batchTargetOf, type Proposal, proposedOf, type Verdict } from './messages.testing.ts';
import type { RecordStore } from './store.testing.ts';

/** What happens to one append. */
export type Fault =
  /** Every connection is cut. */
  | 'dropped before storing'
  | 'dropped after storing'
  | 'stored and not answered'
  | 'neither stored nor answered'
  /** Refused, whatever the stream's revision. */
  | 'wrong expected version'
  | 'stored and answered with a wrong expected version'
  | 'answered without a position'
  | 'timed out'
  | 'access denied'
  /** The answer comes after this many milliseconds. */
  | { readonly lateMs: number };

export type BatchCall = ServerDuplexStream<BatchAppendReqMessage, BatchAppendRespMessage>;
type Answering = (verdict: Verdict, hidden: boolean) => void;

/** A server gives up a write after this, whatever the client's deadline. */
const WRITE_MS = 2_000;

export class Appends {
  /** Every append received, repetitions included. */
  readonly proposals: Proposal[] = [];
  /** Messages in which batches arrived. */
  pieces = 0;
  /** Most bytes of data in one append: 1 MiB by default until 25.0. */
  mostBytes = 1_048_576;
  /** How far the server's clock is ahead of ours, in milliseconds. */
  clockAheadMs = 0;
  /** How long the server tries to write, in milliseconds. */
  writeMs = WRITE_MS;
  /** Called when an append finds the disk full. */
  onFull: () => void = () => {};
  /** Called after records were stored. */
  onStored: () => void = () => {};
  private readonly store: () => RecordStore;
  private readonly cut: () => void;
  private readonly faults: (Fault | undefined)[] = [];
  private canWrite = true;
  private held: (() => void)[] = [];

  constructor(store: () => RecordStore, cut: () => void) {
    this.store = store;
    this.cut = cut;
  }

  /** Sets the faults of the next appends, one each; `undefined` is none. */
  next(...faults: readonly (Fault | undefined)[]): void {
    this.faults.push(...faults);
  }

  /** Clears the remaining faults. */
  clear(): void {
    this.faults.length = 0;
  }

  /** Without a quorum, appends time out. What was taken is stored all the same once there is one again. */
  setQuorum(has: boolean): void {
    this.canWrite = has;
    if (!has) return;
    for (const store of this.held) store();
    this.held = [];
  }

  /** With a full disk nothing that was taken is ever stored, and nothing is answered. */
  fullDisk = false;

  /** Whether it holds data that no other node has. */
  get holdsUnreplicated(): boolean {
    return this.held.length > 0;
  }

  /** A server that ends loses what no other node has. */
  forget(): void {
    this.held = [];
    this.canWrite = true;
  }

  takeBatches(call: BatchCall): void {
    const begun = new Map<string, Proposal & { readonly deadline: number }>();
    call.on('data', (message: BatchAppendReqMessage) => {
      this.pieces += 1;
      const id = message.getCorrelationId()!.getString();
      const options = message.getOptions();
      const former =
        options === undefined
          ? begun.get(id)!
          : { ...batchTargetOf(options), events: [], deadline: options.getDeadline()?.toDate().getTime() ?? Infinity };
      const proposal = { ...former, events: [...former.events, ...message.getProposedMessagesList().map(proposedOf)] };
      if (!message.getIsFinal()) {
        begun.set(id, proposal);
        return;
      }
      begun.delete(id);
      const { deadline, ...rest } = proposal;
      this.append(rest, deadline, (verdict, hidden) => {
        if (!call.cancelled) call.write(batchAnswerOf(id, proposal, verdict, hidden));
      });
    });
    call.on('end', () => call.end());
    call.on('error', () => {});
  }

  /** @param deadline by the client's clock, in milliseconds since 1970; the server compares it with its own */
  append(proposal: Proposal, deadline: number, answer: Answering): void {
    this.proposals.push(proposal);
    const { stream, expected, events } = proposal;
    const fault = this.faults.shift();
    const current = () => this.store().revisionOf(stream);
    const store = (): Verdict => {
      const outcome = this.store().append(stream, expected, events);
      this.onStored();
      return outcome;
    };
    switch (fault) {
      case 'neither stored nor answered':
        return;
      case 'stored and not answered':
        store();
        return;
      case 'dropped before storing':
        this.cut();
        return;
      case 'dropped after storing':
        store();
        this.cut();
        return;
      case 'stored and answered with a wrong expected version':
        store();
        answer({ kind: 'wrong expected version', current: current() }, false);
        return;
      case 'wrong expected version':
        answer({ kind: fault, current: current() }, false);
        return;
      case 'timed out':
      case 'access denied':
        answer({ kind: fault }, false);
        return;
      default:
    }
    const refusal = this.refusalOf(proposal, deadline);
    if (refusal !== undefined) answer(refusal, false);
    else if (this.fullDisk) this.onFull();
    else if (!this.canWrite) this.hold(store, answer);
    else if (typeof fault === 'object') {
      const verdict = store();
      setTimeout(() => answer(verdict, false), fault.lateMs);
    } else answer(store(), fault === 'answered without a position');
  }

  private refusalOf({ stream, events }: Proposal, deadline: number): Verdict | undefined {
    if (deadline <= Date.now() + this.clockAheadMs) return { kind: 'timed out' };
    if (stream === '') return { kind: 'bad request' };
    if (this.store().isDenied(stream, 'append')) return { kind: 'access denied' };
    // Only the bytes of data count.
    const bytes = events.reduce((sum, { data }) => sum + data.length, 0);
    return bytes > this.mostBytes ? { kind: 'too large', limit: this.mostBytes } : undefined;
  }

  private hold(store: () => Verdict, answer: Answering): void {
    let verdict: Verdict | undefined;
    const timer = setTimeout(() => {
      verdict = { kind: 'timed out' };
      answer(verdict, false);
    }, this.writeMs);
    timer.unref();
    this.held.push(() => {
      clearTimeout(timer);
      const stored = store();
      if (verdict === undefined) answer(stored, false);
    });
  }
}
