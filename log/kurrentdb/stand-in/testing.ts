/** A stand-in for a KurrentDB server: its gRPC protocol over memory, with any fault a spec wants for an append. */

import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { SupportedMethods as SupportedMethodsMessage } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type {
  AppendReq as AppendReqMessage,
  AppendResp as AppendRespMessage,
  BatchAppendReq as BatchAppendReqMessage,
  BatchAppendResp as BatchAppendRespMessage,
  ReadReq as ReadReqMessage,
  ReadResp as ReadRespMessage,
} from '@eventstore/db-client/generated/streams_pb.js';
import {
  type handleClientStreamingCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { Front } from './front.testing.ts';
import {
  answerOf,
  batchAnswerOf,
  batchTargetOf,
  type Proposal,
  proposedOf,
  read,
  targetOf,
} from './messages.testing.ts';
import { type Outcome, RecordStore } from './store.testing.ts';

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
  /** The answer comes after this many milliseconds. */
  | { readonly lateMs: number };

type Answering = (outcome: Outcome, hidden: boolean) => void;

export class StandIn {
  store = new RecordStore();
  /** Every append received, repetitions included. */
  readonly proposals: Proposal[] = [];
  /** Appends received one by one, not through the batch stream. */
  plain = 0;
  /** Messages in which batches arrived. */
  pieces = 0;
  /** Where subscriptions began: commit and prepare position, empty at the start of the log. */
  readonly subscriptions: string[] = [];
  /** Batch streams opened, one for each connection that appends. */
  batchStreams = 0;
  /** Accepts reads and subscriptions without answering. */
  silent = false;
  readonly front: Front;
  private readonly faults: (Fault | undefined)[] = [];
  private server: Server | undefined;
  private behind = 0;
  private port = 0;

  constructor() {
    this.front = new Front(() => this.behind);
  }

  get url(): string {
    return `esdb://admin:changeit@127.0.0.1:${this.port}?tls=false`;
  }

  async start(): Promise<this> {
    this.server = new Server();
    this.server.addService(streamsService.StreamsService, {
      read: ((call: ServerWritableStream<ReadReqMessage, ReadRespMessage>) => {
        const options = call.request.getOptions()!;
        const from = options.getAll()?.getPosition();
        if (options.hasSubscription())
          this.subscriptions.push(from ? `${from.getCommitPosition()}/${from.getPreparePosition()}` : '');
        if (!this.silent) void read(call, this.store);
      }) as UntypedHandleCall,
      append: ((...[call, answer]: Parameters<handleClientStreamingCall<AppendReqMessage, AppendRespMessage>>) => {
        this.plain += 1;
        const messages: AppendReqMessage[] = [];
        call.on('data', (message: AppendReqMessage) => messages.push(message));
        call.on('end', () => {
          const [head, ...rest] = messages;
          const events = rest.map((message) => proposedOf(message.getProposedMessage()!));
          this.append({ ...targetOf(head!.getOptions()!), events }, (outcome) => answer(null, answerOf(outcome)));
        });
      }) as UntypedHandleCall,
      batchAppend: ((call: ServerDuplexStream<BatchAppendReqMessage, BatchAppendRespMessage>) =>
        this.takeBatches(call)) as UntypedHandleCall,
      delete: (() => {}) as UntypedHandleCall,
      tombstone: (() => {}) as UntypedHandleCall,
    });
    this.server.addService(featuresService.ServerFeaturesService, {
      getSupportedMethods: ((_: unknown, answer: (error: null, methods: SupportedMethodsMessage) => void) =>
        answer(null, this.supported())) as UntypedHandleCall,
    });
    this.behind = await new Promise<number>((resolve, reject) =>
      this.server!.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    this.port = await this.front.listen();
    return this;
  }

  /** Stops the server; what it stored stays. */
  async stop(): Promise<void> {
    await this.front.close();
    this.server!.forceShutdown();
  }

  /** Sets the faults of the next appends, one each; `undefined` is none. */
  next(...faults: readonly (Fault | undefined)[]): void {
    this.faults.push(...faults);
  }

  /** Clears the remaining faults. */
  clear(): void {
    this.faults.length = 0;
  }

  private takeBatches(call: ServerDuplexStream<BatchAppendReqMessage, BatchAppendRespMessage>): void {
    this.batchStreams += 1;
    const begun = new Map<string, Proposal>();
    call.on('data', (message: BatchAppendReqMessage) => {
      this.pieces += 1;
      const id = message.getCorrelationId()!.getString();
      const options = message.getOptions();
      const former = options === undefined ? begun.get(id)! : { ...batchTargetOf(options), events: [] };
      const proposal = { ...former, events: [...former.events, ...message.getProposedMessagesList().map(proposedOf)] };
      if (!message.getIsFinal()) {
        begun.set(id, proposal);
        return;
      }
      begun.delete(id);
      this.append(proposal, (outcome, hidden) => call.write(batchAnswerOf(id, proposal, outcome, hidden)));
    });
    call.on('end', () => call.end());
    call.on('error', () => {});
  }

  private append(proposal: Proposal, answer: Answering): void {
    this.proposals.push(proposal);
    const { stream, expected, events } = proposal;
    const fault = this.faults.shift();
    const current = () => (this.store.of(stream)?.length ?? 0) - 1;
    const store = () => this.store.append(stream, expected, events);
    switch (fault) {
      case 'neither stored nor answered':
        break;
      case 'stored and not answered':
        store();
        break;
      case 'dropped before storing':
        this.front.cutAll();
        break;
      case 'dropped after storing':
        store();
        this.front.cutAll();
        break;
      case 'stored and answered with a wrong expected version':
        store();
        answer({ kind: 'wrong expected version', current: current() }, false);
        break;
      case 'wrong expected version':
        answer({ kind: fault, current: current() }, false);
        break;
      default: {
        const outcome = store();
        if (typeof fault === 'object') setTimeout(() => answer(outcome, false), fault.lateMs);
        else answer(outcome, fault === 'answered without a position');
      }
    }
  }

  private supported(): SupportedMethodsMessage {
    const method = new features.SupportedMethod()
      .setServiceName('event_store.client.streams.streams')
      .setMethodName('batchappend');
    return new features.SupportedMethods().setEventStoreServerVersion('26.0.0').setMethodsList([method]);
  }
}
