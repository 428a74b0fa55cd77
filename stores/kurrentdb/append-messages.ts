/** What is said on a stream of appends (`BatchAppend`), in the client's own message definitions. */

import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import type {
  BatchAppendReq as BatchAppendReqMessage,
  BatchAppendResp as BatchAppendRespMessage,
} from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import empties from 'google-protobuf/google/protobuf/empty_pb.js';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { AppendFailed, failureOfStatus } from './append-failures.ts';

export interface ProposedEvent {
  /** A UUID. The server compares only these to recognize a repetition. */
  readonly id: string;
  readonly type: string;
  /** JSON. */
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface Batch {
  readonly stream: string;
  /** Revision of the stream's last event. Always given: with "any", repetitions are recognized from a small cache only. */
  readonly expected: bigint | 'no_stream';
  readonly events: readonly ProposedEvent[];
}

/** What the server counts: data only, neither metadata nor types. */
export const bytesOf = ({ events }: Batch): number => events.reduce((bytes, { data }) => bytes + data.length, 0);

/** Of one event in a message: its id, lengths and the names of its fields. */
const EVENT_BYTES = 128;

/** An upper bound for the message that carries the batch. */
export const messageBytesOf = ({ events }: Batch): number =>
  events.reduce(
    (bytes, { data, metadata, type }) => bytes + data.length + metadata.length + type.length + EVENT_BYTES,
    0,
  );

/** Revision of the batch's last event once it is stored where it was meant to be. */
export const lastRevisionOf = ({ expected, events }: Batch): bigint =>
  (expected === 'no_stream' ? -1n : expected) + BigInt(events.length);

export type BatchOutcome =
  /** Of the batch's last event, as far as the server tells. */
  | { readonly kind: 'stored'; readonly revision: bigint | undefined; readonly position: bigint | undefined }
  /** `revision` is the one that the stream has. */
  | { readonly kind: 'conflict'; readonly revision: bigint | 'no_stream' };

const proposedOf = ({ id, type, data, metadata }: ProposedEvent): BatchAppendReqMessage.ProposedMessage => {
  const message = new streams.BatchAppendReq.ProposedMessage()
    .setId(new shared.UUID().setString(id))
    .setData(data)
    .setCustomMetadata(metadata);
  message.getMetadataMap().set('type', type).set('content-type', 'application/json');
  return message;
};

/**
 * One message for the whole batch: it is stored whole, or not at all.
 * @param deadline when the server is to give up, by its own clock
 */
export const requestOf = (batch: Batch, correlationId: string, deadline: Date): BatchAppendReqMessage => {
  const options = new streams.BatchAppendReq.Options()
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(batch.stream, 'utf8')))
    .setDeadline(timestamps.Timestamp.fromDate(deadline));
  if (batch.expected === 'no_stream') options.setNoStream(new empties.Empty());
  else options.setStreamPosition(batch.expected.toString());
  return new streams.BatchAppendReq()
    .setCorrelationId(new shared.UUID().setString(correlationId))
    .setOptions(options)
    .setProposedMessagesList(batch.events.map(proposedOf))
    .setIsFinal(true);
};

/** The id of the request that this answers, however the server writes it. */
export const answeredBy = (answer: BatchAppendRespMessage): string => {
  const id = answer.getCorrelationId();
  const halves = id?.getStructured();
  if (halves === undefined) return id?.getString() ?? '';
  const hex = [halves.getMostSignificantBits(), halves.getLeastSignificantBits()]
    .map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0'))
    .join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

const CONFLICT = 'event_store.client.WrongExpectedVersion';

const conflictIn = (error: Status): BatchOutcome | undefined => {
  const told = error.getDetails()?.unpack(shared.WrongExpectedVersion.deserializeBinary, CONFLICT);
  if (!told) return undefined;
  return {
    kind: 'conflict',
    revision: told.hasCurrentStreamRevision() ? BigInt(told.getCurrentStreamRevision()) : 'no_stream',
  };
};

/** @throws AppendFailed for an answer that says neither where the batch is stored nor that another writer was first */
export const outcomeOf = (answer: BatchAppendRespMessage, batch: Batch, host: string): BatchOutcome => {
  const error = answer.getError();
  if (error !== undefined) {
    const conflict = conflictIn(error);
    if (conflict !== undefined) return conflict;
    throw failureOfStatus(error, { stream: batch.stream, bytes: bytesOf(batch), host });
  }
  const success = answer.getSuccess();
  if (success === undefined)
    throw new AppendFailed(`KurrentDB at ${host} answers without a result`, { passing: true, mayBeStored: true });
  const position = success.getPosition();
  return {
    kind: 'stored',
    revision: success.hasCurrentRevision() ? BigInt(success.getCurrentRevision()) : undefined,
    position: position === undefined ? undefined : BigInt(position.getCommitPosition()),
  };
};
