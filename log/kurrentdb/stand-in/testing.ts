/** A stand-in for a KurrentDB server: its gRPC protocol over memory. How a real one behaves is told in its modules. */

import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { SupportedMethods as SupportedMethodsMessage } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type {
  AppendReq as AppendReqMessage,
  AppendResp as AppendRespMessage,
} from '@eventstore/db-client/generated/streams_pb.js';
import {
  type handleClientStreamingCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { Appends, type BatchCall, type Fault } from './appending.testing.ts';
import { Front } from './front.testing.ts';
import { answerOf, notLeader, type Proposal, proposedOf, refused, targetOf } from './messages.testing.ts';
import { fail, type ReadCall, type ReadingHabits, read } from './reading.testing.ts';
import { RecordStore } from './store.testing.ts';

export type { Fault } from './appending.testing.ts';

/** What a node knows of its cluster. */
export interface Membership {
  /** Whether this node takes itself for the leader. */
  readonly leads: boolean;
  /** The leader, as this node knows it. */
  readonly leader: { readonly host: string; readonly port: number } | undefined;
  gossip(): ClusterInfo;
}

type Failure = Pick<ServiceError, 'code' | 'details' | 'metadata'>;

export class StandIn {
  store = new RecordStore();
  readonly appends: Appends;
  readonly habits: ReadingHabits = {
    misplaced: 'as 23.10',
    mostLag: Number.POSITIVE_INFINITY,
    recordsRead: 0,
    recordsSent: 0,
  };
  /** Appends received one by one, not through the batch stream. */
  plain = 0;
  /** Where subscriptions began: commit and prepare position, empty at the start of the log. */
  readonly subscriptions: string[] = [];
  /** Reads received, subscriptions left out. */
  reads = 0;
  /** Batch streams opened, one for each connection that appends. */
  batchStreams = 0;
  /** How the appending clients said who they are. */
  readonly authorizations: string[] = [];
  /** Accepts reads and subscriptions without answering. */
  silent = false;
  /** Set in a cluster. A node alone is its own leader. */
  membership: Membership | undefined;
  readonly front: Front;
  private readonly credentials: ServerCredentials;
  private server: Server | undefined;
  private refusing: { readonly how: 'unauthenticated' | 'denied'; readonly beyond: number } | undefined;
  private behind = 0;
  port = 0;

  /** @param tls what it shows itself with; without it, everything goes in the clear */
  constructor(tls?: { readonly key: Buffer; readonly certificate: Buffer }) {
    this.credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.certificate }]);
    this.front = new Front(() => this.behind);
    this.appends = new Appends(
      () => this.store,
      () => this.front.cutAll(),
    );
  }

  get url(): string {
    return `esdb://admin:changeit@127.0.0.1:${this.port}?tls=false`;
  }

  get proposals(): readonly Proposal[] {
    return this.appends.proposals;
  }

  get pieces(): number {
    return this.appends.pieces;
  }

  async start(): Promise<this> {
    this.store.forgetIds();
    this.appends.fullDisk = false;
    // A real server refuses larger messages too.
    this.server = new Server({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 });
    this.server.addService(streamsService.StreamsService, {
      read: ((call: ReadCall) => this.read(call)) as UntypedHandleCall,
      append: ((...[call, answer]: Parameters<handleClientStreamingCall<AppendReqMessage, AppendRespMessage>>) => {
        this.plain += 1;
        const messages: AppendReqMessage[] = [];
        call.on('data', (message: AppendReqMessage) => messages.push(message));
        call.on('end', () => {
          const [head, ...rest] = messages;
          const events = rest.map((message) => proposedOf(message.getProposedMessage()!));
          const proposal = { ...targetOf(head!.getOptions()!), events };
          this.appends.append(proposal, Number.POSITIVE_INFINITY, (verdict) => answer(null, answerOf(verdict)));
        });
      }) as UntypedHandleCall,
      batchAppend: ((call: BatchCall) => {
        this.batchStreams += 1;
        this.authorizations.push(...call.metadata.get('authorization').map(String));
        const failure = this.refusalOf(call, 'append');
        if (failure !== undefined) call.emit('error', failure);
        else this.appends.takeBatches(call);
      }) as UntypedHandleCall,
      delete: (() => {}) as UntypedHandleCall,
      tombstone: (() => {}) as UntypedHandleCall,
    });
    this.server.addService(featuresService.ServerFeaturesService, {
      getSupportedMethods: ((_: unknown, answer: (error: null, methods: SupportedMethodsMessage) => void) =>
        answer(null, this.supported())) as UntypedHandleCall,
    });
    this.server.addService(gossipService.GossipService, {
      read: ((_: unknown, answer: (error: null, info: ClusterInfo) => void) => {
        if (this.membership !== undefined) answer(null, this.membership.gossip());
      }) as UntypedHandleCall,
    });
    this.behind = await new Promise<number>((resolve, reject) =>
      this.server!.bindAsync('127.0.0.1:0', this.credentials, (error, port) => (error ? reject(error) : resolve(port))),
    );
    this.port = await this.front.listen();
    return this;
  }

  /** Stops the server; what it stored stays. */
  async stop(): Promise<void> {
    await this.front.close();
    this.server!.forceShutdown();
  }

  /**
   * The next append finds the disk full: the server answers no append any more, and its process ends after `endsAfterMs`
   * (a real one after 6 s). Somebody makes room and starts it again.
   */
  fillDisk(endsAfterMs: number): void {
    this.appends.fullDisk = true;
    this.appends.onFull = () => {
      this.appends.onFull = () => {};
      setTimeout(() => void this.stop(), endsAfterMs);
    };
  }

  /** Sets the faults of the next appends, one each; `undefined` is none. */
  next(...faults: readonly (Fault | undefined)[]): void {
    this.appends.next(...faults);
  }

  /** Clears the remaining faults. */
  clear(): void {
    this.appends.clear();
  }

  /** Refuses calls on connections made from now on: open ones outlive a disabled user. `undefined` allows them again. */
  refuse(how: 'unauthenticated' | 'denied' | undefined): void {
    this.refusing = how && { how, beyond: this.front.accepted };
  }

  private read(call: ReadCall): void {
    const options = call.request.getOptions()!;
    const isSubscription = options.hasSubscription();
    const failure = this.refusalOf(call, isSubscription ? 'subscribe' : 'read');
    if (failure !== undefined) {
      fail(call, failure);
      return;
    }
    const from = options.getAll()?.getPosition();
    if (isSubscription) this.subscriptions.push(from ? `${from.getCommitPosition()}/${from.getPreparePosition()}` : '');
    else this.reads += 1;
    if (!this.silent) void read(call, this.store, this.habits);
  }

  private refusalOf(
    call: { getPeer(): string; readonly metadata: Metadata },
    kind: 'append' | 'read' | 'subscribe',
  ): Failure | undefined {
    const connection = this.front.connectionOf(call.getPeer());
    connection?.calls.push(kind);
    if (this.refusing !== undefined && (connection?.number ?? Infinity) > this.refusing.beyond)
      return refused(this.refusing.how);
    const needsLeader = kind === 'append' || call.metadata.get('requires-leader').includes('true');
    if (this.membership === undefined || this.membership.leads || !needsLeader) return undefined;
    return notLeader(this.membership.leader);
  }

  private supported(): SupportedMethodsMessage {
    const method = new features.SupportedMethod()
      .setServiceName('event_store.client.streams.streams')
      .setMethodName('batchappend');
    return new features.SupportedMethods().setEventStoreServerVersion('26.0.0').setMethodsList([method]);
  }
}
