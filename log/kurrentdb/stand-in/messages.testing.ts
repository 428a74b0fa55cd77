/** Maps the stand-in's records and errors to messages of the protocol, using the client's own definitions. */

import type { WrongExpectedVersion as WrongExpectedVersionMessage } from '@eventstore/db-client/generated/shared_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import type {
  AppendReq as AppendReqMessage,
  AppendResp as AppendRespMessage,
  BatchAppendReq as BatchAppendReqMessage,
  BatchAppendResp as BatchAppendRespMessage,
  ReadResp as ReadRespMessage,
} from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import anys from 'google-protobuf/google/protobuf/any_pb.js';
import empties from 'google-protobuf/google/protobuf/empty_pb.js';
import type { Expected, Outcome, Proposed, StoredRecord } from './store.testing.ts';

const {
  AccessDenied,
  AllStreamPosition,
  BadRequest,
  Empty,
  MaximumAppendSizeExceeded,
  StreamDeleted,
  StreamIdentifier,
  Timeout,
  UUID,
  WrongExpectedVersion,
} = shared;
const { AppendResp, BatchAppendResp, ReadResp } = streams;
const { ReadEvent } = ReadResp;

export const nameOf = (identifier: InstanceType<typeof StreamIdentifier> | undefined): string =>
  Buffer.from(identifier!.getStreamName_asU8()).toString('utf8');

const identifierOf = (stream: string) => new StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8'));

export interface Proposal {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly Proposed[];
}

type ProposedMessage = AppendReqMessage.ProposedMessage | BatchAppendReqMessage.ProposedMessage;

export const proposedOf = (message: ProposedMessage): Proposed => ({
  id: message.getId()!.getString(),
  type: message.getMetadataMap().get('type')!,
  contentType: message.getMetadataMap().get('content-type')!,
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
});

export const batchTargetOf = (options: BatchAppendReqMessage.Options): Omit<Proposal, 'events'> => ({
  stream: nameOf(options.getStreamIdentifier()),
  expected: options.hasStreamPosition()
    ? Number(options.getStreamPosition())
    : options.hasNoStream()
      ? -1
      : options.hasStreamExists()
        ? 'exists'
        : 'any',
});

export const targetOf = (options: AppendReqMessage.Options): Omit<Proposal, 'events'> => ({
  stream: nameOf(options.getStreamIdentifier()),
  expected: options.hasRevision()
    ? Number(options.getRevision())
    : options.hasNoStream()
      ? -1
      : options.hasStreamExists()
        ? 'exists'
        : 'any',
});

/** How an append ends. All but the first are errors. */
export type Verdict =
  | Outcome
  | { readonly kind: 'too large'; readonly limit: number }
  | { readonly kind: 'timed out' }
  | { readonly kind: 'bad request' }
  | { readonly kind: 'access denied' };

interface Packed {
  serializeBinary(): Uint8Array;
}

/** An error carries a code and no words. */
const errorOf = (
  { stream, expected }: Proposal,
  verdict: Exclude<Verdict, { readonly kind: 'stored' }>,
): { readonly code: number; readonly type: string; readonly details: Packed } => {
  switch (verdict.kind) {
    case 'wrong expected version': {
      const details: WrongExpectedVersionMessage = new WrongExpectedVersion();
      if (verdict.current < 0) details.setCurrentNoStream(new empties.Empty());
      else details.setCurrentStreamRevision(String(verdict.current));
      if (typeof expected === 'number' && expected >= 0) details.setExpectedStreamPosition(String(expected));
      else details.setExpectedNoStream(new empties.Empty());
      return { code: status.ALREADY_EXISTS, type: 'WrongExpectedVersion', details };
    }
    case 'stream deleted': {
      const details = new StreamDeleted().setStreamIdentifier(identifierOf(stream));
      return { code: status.NOT_FOUND, type: 'StreamDeleted', details };
    }
    case 'too large': {
      const details = new MaximumAppendSizeExceeded().setMaxappendsize(verdict.limit);
      return { code: status.INVALID_ARGUMENT, type: 'MaximumAppendSizeExceeded', details };
    }
    case 'timed out':
      return { code: status.DEADLINE_EXCEEDED, type: 'Timeout', details: new Timeout() };
    case 'bad request':
      return { code: status.INVALID_ARGUMENT, type: 'BadRequest', details: new BadRequest() };
    case 'access denied':
      return { code: status.PERMISSION_DENIED, type: 'AccessDenied', details: new AccessDenied() };
  }
};

/** @param hidden leaves out the position, as a server may for a repetition */
export const batchAnswerOf = (
  correlationId: string,
  proposal: Proposal,
  verdict: Verdict,
  hidden: boolean,
): BatchAppendRespMessage => {
  const answer = new BatchAppendResp();
  answer.setCorrelationId(new UUID().setString(correlationId)).setStreamIdentifier(identifierOf(proposal.stream));
  if (verdict.kind === 'stored') {
    const success = new BatchAppendResp.Success().setCurrentRevision(String(verdict.last.revision));
    const at = String(verdict.last.position);
    if (hidden) success.setNoPosition(new empties.Empty());
    else success.setPosition(new AllStreamPosition().setCommitPosition(at).setPreparePosition(at));
    return answer.setSuccess(success);
  }
  const { code, type, details } = errorOf(proposal, verdict);
  const packed = new anys.Any();
  packed.pack(details.serializeBinary(), `event_store.client.${type}`);
  return answer.setError(new statuses.Status().setCode(code).setDetails(packed));
};

/** For appends outside the batch stream, which our client never sends. */
export const answerOf = (outcome: Verdict): AppendRespMessage => {
  if (outcome.kind === 'stored') {
    const at = String(outcome.last.position);
    const position = new AppendResp.Position().setCommitPosition(at).setPreparePosition(at);
    return new AppendResp().setSuccess(
      new AppendResp.Success().setCurrentRevision(String(outcome.last.revision)).setPosition(position),
    );
  }
  const conflict = new AppendResp.WrongExpectedVersion();
  if (outcome.kind !== 'wrong expected version' || outcome.current < 0) conflict.setCurrentNoStream(new Empty());
  else conflict.setCurrentRevision(String(outcome.current));
  return new AppendResp().setWrongExpectedVersion(conflict);
};

export const eventOf = (record: StoredRecord): ReadRespMessage => {
  const at = String(record.position);
  const event = new ReadEvent.RecordedEvent()
    .setId(new UUID().setString(record.id))
    .setStreamIdentifier(identifierOf(record.stream))
    .setStreamRevision(String(record.revision))
    .setCommitPosition(at)
    .setPreparePosition(at)
    .setData(record.data)
    .setCustomMetadata(record.metadata);
  event.getMetadataMap().set('type', record.type).set('content-type', record.contentType).set('created', '0');
  return new ReadResp().setEvent(new ReadEvent().setEvent(event).setCommitPosition(at));
};

export const checkpointAt = (commit: number, prepare: number): ReadRespMessage =>
  new ReadResp().setCheckpoint(
    new ReadResp.Checkpoint().setCommitPosition(String(commit)).setPreparePosition(String(prepare)),
  );

export const caughtUp = (): ReadRespMessage => new ReadResp().setCaughtUp(new ReadResp.CaughtUp());

export const confirmation = (): ReadRespMessage =>
  new ReadResp().setConfirmation(new ReadResp.SubscriptionConfirmation().setSubscriptionId(crypto.randomUUID()));

export const notFound = (stream: string): ReadRespMessage =>
  new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream)));

/** A call ends with this. The client tells some errors by their metadata. */
export const failureOf = (
  code: status,
  details: string,
  metadata: Readonly<Record<string, string>> = {},
): Pick<ServiceError, 'code' | 'details' | 'metadata'> => {
  const carried = new Metadata();
  for (const [key, value] of Object.entries(metadata)) carried.set(key, value);
  return { code, details, metadata: carried };
};

export const notLeader = (leader: { readonly host: string; readonly port: number } | undefined) =>
  leader === undefined
    ? failureOf(status.UNKNOWN, 'Exception was thrown by handler. No leader info available in response')
    : failureOf(status.NOT_FOUND, 'Leader info available', {
        exception: 'not-leader',
        'leader-endpoint-host': leader.host,
        'leader-endpoint-port': String(leader.port),
      });

export const refused = (how: 'unauthenticated' | 'denied') =>
  how === 'denied'
    ? failureOf(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' })
    : failureOf(status.UNAUTHENTICATED, 'Unauthenticated');

export const tombstoned = (stream: string) =>
  failureOf(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });
