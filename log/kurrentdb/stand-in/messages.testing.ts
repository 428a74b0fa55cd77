/** Between the stand-in's records and the messages of the protocol, whose definitions are the client's own. */
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
import anys from 'google-protobuf/google/protobuf/any_pb.js';
import empties from 'google-protobuf/google/protobuf/empty_pb.js';
import type { Expected, Outcome, Proposed, StoredRecord } from './store.testing.ts';

const { AllStreamPosition, Empty, StreamIdentifier, UUID, WrongExpectedVersion } = shared;
const { AppendResp, BatchAppendResp, ReadResp } = streams;
const { ReadEvent } = ReadResp;

const nameOf = (identifier: InstanceType<typeof StreamIdentifier> | undefined): string =>
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

/** @param hidden leaves out the position, as a server may do for a repetition */
export const batchAnswerOf = (
  correlationId: string,
  { stream, expected }: Proposal,
  outcome: Outcome,
  hidden: boolean,
): BatchAppendRespMessage => {
  const answer = new BatchAppendResp();
  answer.setCorrelationId(new UUID().setString(correlationId)).setStreamIdentifier(identifierOf(stream));
  if (outcome.kind === 'stored') {
    const success = new BatchAppendResp.Success().setCurrentRevision(String(outcome.last.revision));
    const at = String(outcome.last.position);
    if (hidden) success.setNoPosition(new empties.Empty());
    else success.setPosition(new AllStreamPosition().setCommitPosition(at).setPreparePosition(at));
    return answer.setSuccess(success);
  }
  const details = new anys.Any();
  const conflict: WrongExpectedVersionMessage = new WrongExpectedVersion();
  if (outcome.current < 0) conflict.setCurrentNoStream(new empties.Empty());
  else conflict.setCurrentStreamRevision(String(outcome.current));
  if (typeof expected === 'number' && expected >= 0) conflict.setExpectedStreamPosition(String(expected));
  else conflict.setExpectedNoStream(new empties.Empty());
  details.pack(conflict.serializeBinary(), 'event_store.client.WrongExpectedVersion');
  return answer.setError(new statuses.Status().setMessage('WrongExpectedVersion').setDetails(details));
};

export const answerOf = (outcome: Outcome): AppendRespMessage => {
  if (outcome.kind === 'stored') {
    const at = String(outcome.last.position);
    const position = new AppendResp.Position().setCommitPosition(at).setPreparePosition(at);
    return new AppendResp().setSuccess(
      new AppendResp.Success().setCurrentRevision(String(outcome.last.revision)).setPosition(position),
    );
  }
  const conflict = new AppendResp.WrongExpectedVersion();
  if (outcome.current < 0) conflict.setCurrentNoStream(new Empty());
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

export { nameOf };
