/** Why an append is not known to be stored, in words for an operator: the server tells little more than a number. */

import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Endpoint } from './servers.ts';

interface Outlook {
  /** Whether a repetition may succeed. */
  readonly passing: boolean;
  /** False only where no server that could store the events has taken them. */
  readonly mayBeStored: boolean;
}

export class AppendFailed extends Error implements Outlook {
  readonly passing: boolean;
  readonly mayBeStored: boolean;

  constructor(message: string, { passing, mayBeStored }: Outlook, options?: ErrorOptions) {
    super(message, options);
    this.passing = passing;
    this.mayBeStored = mayBeStored;
  }
}

const refused = (message: string) => new AppendFailed(message, { passing: false, mayBeStored: false });

interface About {
  readonly stream: string;
  /** Of the append's data. */
  readonly bytes: number;
  readonly host: string;
}

/** @param whose who sets the limit, as the subject of a sentence that ends with it */
export const tooLarge = ({ stream, bytes }: Omit<About, 'host'>, limit: number, whose: string): AppendFailed =>
  refused(`The append to ${JSON.stringify(stream)} is too large: its data has ${bytes} bytes, ${whose} ${limit}.`);

/** For the answer to one append, which has a code and often no message. */
export const failureOfStatus = (error: Status, about: About): AppendFailed => {
  const { stream, host } = about;
  const details = error.getDetails();
  const limit = details?.unpack(
    shared.MaximumAppendSizeExceeded.deserializeBinary,
    'event_store.client.MaximumAppendSizeExceeded',
  );
  if (limit) return tooLarge(about, limit.getMaxappendsize(), `KurrentDB at ${host} takes (MaxAppendSize)`);
  const said = error.getMessage() === '' ? '' : `: ${error.getMessage()}`;
  switch (error.getCode() as number) {
    case status.DEADLINE_EXCEEDED:
      return new AppendFailed(
        `KurrentDB at ${host} could not finish a write in time: it is overloaded, or too few nodes of its cluster answer`,
        { passing: true, mayBeStored: true },
      );
    case status.INVALID_ARGUMENT:
      return refused(
        stream === ''
          ? `KurrentDB at ${host} refuses an append to a stream with an empty name`
          : `KurrentDB at ${host} refuses the append to ${JSON.stringify(stream)}, whose data has ${about.bytes} bytes, as malformed or too large${said}`,
      );
    case status.NOT_FOUND:
      return refused(
        `Stream ${JSON.stringify(stream)} was deleted for good (tombstoned) on KurrentDB at ${host}: it takes nothing more`,
      );
    case status.PERMISSION_DENIED:
      return refused(`KurrentDB at ${host} gives our user no right to append to stream ${JSON.stringify(stream)}`);
    default:
      return new AppendFailed(`KurrentDB at ${host} fails with code ${error.getCode()}${said}`, {
        passing: true,
        mayBeStored: true,
      });
  }
};

/** The server has not answered this append, while others may be answered. */
export const notAnswered = (host: string, ms: number, mayBeStored: boolean): AppendFailed =>
  new AppendFailed(
    mayBeStored
      ? `KurrentDB at ${host} has not answered an append within ${ms} ms`
      : `KurrentDB at ${host} has not accepted a connection within ${ms} ms`,
    { passing: true, mayBeStored },
  );

/** The end of a stream of appends, for all that it has not answered. */
export interface StreamEnd {
  readonly message: string;
  readonly passing: boolean;
  /** The server has turned away one append of this stream, without carrying it out. */
  readonly turnedAway: boolean;
  /** Where the leader is, if this node knows. */
  readonly leader?: Endpoint;
}

const textIn = (error: ServiceError, name: string): string | undefined => error.metadata?.get(name)[0]?.toString();

const leaderIn = (error: ServiceError): Endpoint | undefined => {
  const address = textIn(error, 'leader-endpoint-host');
  const port = Number(textIn(error, 'leader-endpoint-port'));
  return address === undefined || !(port > 0) ? undefined : { address, port };
};

const CERTIFICATE = /certificate|self.signed|altnames|unable to (verify|get)|ERR_TLS|CERT_/i;

/** @param host `address:port` of the server */
export const endOfStream = (error: ServiceError, host: string): StreamEnd => {
  const { code, details } = error;
  const leader = leaderIn(error);
  const server = `KurrentDB at ${host}`;
  const passing = true;
  if (leader !== undefined) {
    const message = `${server} is not the leader, which is ${leader.address}:${leader.port}`;
    return { message, passing, turnedAway: true, leader };
  }
  if (/no leader info/i.test(details))
    return {
      message: `${server} is not the leader and knows none: its cluster has none now`,
      passing,
      turnedAway: true,
    };
  switch (code) {
    case status.NOT_FOUND:
      return { message: `${server} is not the leader`, passing, turnedAway: true };
    case status.UNAUTHENTICATED:
      return {
        message: `${server} does not accept our user: unknown, disabled, or with another password`,
        passing: false,
        turnedAway: true,
      };
    case status.PERMISSION_DENIED:
      return { message: `${server} gives our user no right to append`, passing: false, turnedAway: true };
    case status.UNIMPLEMENTED:
      return { message: `${server} is too old: Parley needs 23.10 or later`, passing: false, turnedAway: true };
    case status.RESOURCE_EXHAUSTED:
      return {
        message: `${server} refuses a message as too large, or has no room left: ${details}`,
        passing,
        turnedAway: false,
      };
    case status.UNAVAILABLE:
      if (/server is (busy|not ready)/i.test(details))
        return { message: `${server} is busy or not ready yet: ${details}`, passing, turnedAway: true };
      if (CERTIFICATE.test(details))
        return { message: `The certificate of ${server} is not accepted: ${details}`, passing, turnedAway: false };
      return { message: `${server} cannot be reached: ${details}`, passing, turnedAway: false };
    default:
      return { message: `${server} ended the connection: ${error.message}`, passing, turnedAway: false };
  }
};
