/** The connection for reads and subscriptions: a client that is replaced when its server stays silent. */

import { setMaxListeners } from 'node:events';
import { ErrorType, EventStoreDBClient } from '@eventstore/db-client';
import { convertToCommandError } from '@eventstore/db-client/dist/utils/CommandError.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { CallOptions, Channel, Client, ClientReadableStream, Metadata, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../budgets.ts';
import { PlainGuard, reasonOf, retrying } from '../guard.ts';
import { hostsOf } from '../urls.ts';
import { connectionStringOf } from './connection.ts';
import { classify, NoAnswer, typeOf } from './failures.ts';
import { type SubscriptionQuery, subscriptionRequest } from './subscription-messages.ts';

/** What the client keeps to itself. */
interface Innards {
  handleError(of: unknown, error: Error): Promise<void>;
  shouldReconnect(error: Error): readonly [boolean, unknown?];
  getGRPCClient(): Promise<never>;
  createChannel(): Promise<Channel>;
  getChannel(): Promise<Channel>;
  GRPCStreamCreator<Call>(
    service: typeof streamsService.StreamsClient,
    name: string,
    create: (client: Client) => Call,
  ): () => Promise<Call>;
  callArguments(who: { readonly requiresLeader: boolean }, options: CallOptions): [Metadata, CallOptions];
}

const READ = '/event_store.client.streams.Streams/Read';
const asSent = (message: Buffer): Buffer => message;
const bytesOf = (request: ReadReq): Buffer => Buffer.from(request.serializeBinary());

const KEEP_ALIVE = 'keepAliveTimeout';
const KEEP_ALIVE_MS = 10_000;
const DISTINCT = 1_000;
let opened = 0;

const LOOKING = [
  ['gossipTimeout', 1],
  ['maxDiscoverAttempts', 3],
] as const;

/** The client reads names in any case. */
const isNamed = (parameter: string, name: string): boolean =>
  parameter.toLowerCase().startsWith(`${name.toLowerCase()}=`);

/**
 * grpc-js shares one connection among channels of equal arguments, so that a new client would go on over a dead one. So
 * each of ours has arguments of its own. Unless the URL says otherwise, it looks for a node only as long as somebody
 * waits.
 */
const ownUrlOf = (url: string): string => {
  opened = (opened + 1) % DISTINCT;
  const [base, query = ''] = connectionStringOf(url).split('?');
  const given = query.split('&').filter((parameter) => parameter !== '' && !isNamed(parameter, KEEP_ALIVE));
  const looking = LOOKING.filter(([name]) => !given.some((parameter) => isNamed(parameter, name)));
  const own = [...looking, [KEEP_ALIVE, KEEP_ALIVE_MS + opened]].map(([name, value]) => `${name}=${value}`);
  return `${base}?${[...given, ...own].join('&')}`;
};

/** One client, and what is known of the server behind it. */
export class Line {
  readonly client: EventStoreDBClient;
  /** Highest position that came from this server since the line last went to another: it holds everything up to there. */
  seen = 0;
  /** Counts what has come over the line. */
  items = 0;
  /** How often the line has perhaps gone to another server. */
  turns = 0;
  /** A question whether the server answers at all is under way. */
  asking: Promise<void> | undefined;
  private readonly ending = new AbortController();

  constructor(url: string) {
    this.client = EventStoreDBClient.connectionString(ownUrlOf(url));
    const innards = this.client as unknown as Innards;
    const handleError = innards.handleError;
    // One for each read under way.
    setMaxListeners(0, this.ended);
    // The client does not wait for this. If it then finds no server, nobody else could catch the failure.
    innards.handleError = async (of, error) => {
      if (innards.shouldReconnect(error)[0]) {
        this.seen = 0;
        this.turns += 1;
      }
      await handleError(of, error).catch(() => {});
    };
  }

  /** A subscription over the client's connection, with the server's messages as they are. */
  subscribe(query: SubscriptionQuery): Promise<ClientReadableStream<Buffer>> {
    const innards = this.client as unknown as Innards;
    const given = innards.callArguments({ requiresLeader: true }, { deadline: Number.POSITIVE_INFINITY });
    const request = subscriptionRequest(query);
    const create = (client: Client) => client.makeServerStreamRequest(READ, bytesOf, asSent, request, ...given);
    return innards.GRPCStreamCreator(streamsService.StreamsClient, 'subscribeToAll', create)();
  }

  /** Aborted when the line is given up: whoever reads over it then has no answer. */
  get ended(): AbortSignal {
    return this.ending.signal;
  }

  /** Ends its streams and its connection at once, and whatever the client is still about to open. */
  giveUp(): void {
    this.ending.abort();
    const innards = this.client as unknown as Innards;
    const refuse = () => Promise.reject(new Error('This connection to KurrentDB was given up'));
    innards.getGRPCClient = refuse;
    innards.createChannel = refuse;
    // It would wait for ever for a stream that has ended and that nobody reads to its end.
    void this.client.dispose();
    void innards.getChannel().then(
      (channel) => channel.close(),
      () => {},
    );
  }
}

/** What ended a subscription, in the client's form. */
export const subscriptionError = (error: Error): unknown => convertToCommandError(error as ServiceError);

/** This server cannot have everything that it has acknowledged: it was frozen, and another leads by now. */
export class StaleServer extends Error {
  constructor() {
    super('KurrentDB answers with less than it has acknowledged: this server no longer leads, or has lost events');
  }
}

/** An operator must repair it, so waiting does not help. */
export class UserRefused extends Error {
  constructor(hosts: string, cause: unknown) {
    super(
      `KurrentDB at ${hosts} does not let our user read: unknown or disabled, with another password, or without the right to read all events (${reasonOf(cause)})`,
      { cause },
    );
  }
}

const { pauseMs, retrySeconds } = BUDGETS.kurrentdb;

export class ReadingConnection {
  /** How long a server may stay silent, in milliseconds. */
  readonly silenceMs: number;
  readonly clock: Clock;
  private readonly url: string;
  private readonly guard = new PlainGuard('log', retrySeconds, (failure) =>
    failure instanceof UserRefused ? 'damaged' : classify(failure),
  );
  private current: Line;
  private isClosed = false;

  constructor(url: string, silenceMs: number, clock: Clock) {
    this.url = url;
    this.silenceMs = silenceMs;
    this.clock = clock;
    this.current = new Line(url);
  }

  get line(): Line {
    return this.current;
  }

  /**
   * Asks once more after a failure that may pass: the first question after a restart, a change of leader or the loss of a
   * connection only detects it.
   * @throws StoreUnavailable when the server cannot answer, or UserRefused
   */
  ask<T>(question: (line: Line) => Promise<T>): Promise<T> {
    let tries = 0;
    const once = async (): Promise<T> => {
      const line = this.current;
      try {
        return await question(line);
      } catch (error) {
        throw this.failed(line, error);
      }
    };
    const again = (error: unknown) => {
      tries += 1;
      return tries === 1 && !this.isClosed && classify(error) === 'transient';
    };
    return this.guard.run(() =>
      retrying(once, {
        clock: this.clock,
        again: (error) => !(error instanceof UserRefused) && again(error),
        firstMs: pauseMs,
        longestMs: pauseMs,
      }),
    );
  }

  /** To be called with whatever fails over a line. A line that stays silent is replaced. @returns the failure in words */
  failed(line: Line, error: unknown): unknown {
    if (error instanceof NoAnswer || error instanceof StaleServer) this.replace(line);
    return typeOf(error) === ErrorType.ACCESS_DENIED ? new UserRefused(hostsOf(this.url), error) : error;
  }

  close(): void {
    this.isClosed = true;
    this.current.giveUp();
  }

  private replace(line: Line): void {
    if (line !== this.current || this.isClosed) return;
    this.current = new Line(this.url);
    line.giveUp();
  }
}
