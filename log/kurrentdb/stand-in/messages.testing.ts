/** Maps the stand-in's records to messages of the protocol, using the client's own definitions. */

import type { WrongExpectedVersion as WrongExpectedVersionMessage } from '@eventstore/db-client/generated/shared_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import type {
  AppendReq as AppendReqMessage,
  AppendResp as AppendRespMessage,
  BatchAppendReq as BatchAppendReqMessage,
  BatchAppendResp as BatchAppendRespMessage,
  ReadReq as ReadReqMessage,
  ReadResp as ReadRespMessage,
} from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import anys from 'google-protobuf/google/protobuf/any_pb.js';
import empties from 'google-protobuf/google/protobuf/empty_pb.js';
import type { Expected, Outcome, Proposed, RecordStore, StoredRecord } from './store.testing.ts';

const { AllStreamPosition, Empty, StreamIdentifier, UUID, WrongExpectedVersion } = shared;
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

/** @param hidden leaves out the position, as a server may for a repetition */
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

/** Reading and subscribing, as the server does it: reads begin at a position, subscriptions beyond it. */
type Call = ServerWritableStream<ReadReqMessage, ReadRespMessage>;
type Options = ReadReqMessage.Options;

const BACKWARDS = 1;
/** Records searched at once when the client does not say. */
const WINDOW = 32;

const write = async (call: Call, message: ReadRespMessage): Promise<void> => {
  if (call.write(message) || call.cancelled) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      call.off('drain', done).off('cancelled', done);
      resolve();
    };
    call.on('drain', done).on('cancelled', done);
  });
};

const fail = (call: Call, code: status, details: string): void => {
  call.emit('error', { code, details });
};

const isFound = (options: Options): ((record: StoredRecord) => boolean) => {
  const filter = options.getFilter();
  if (filter === undefined) return () => true;
  const byType = filter.getEventType();
  const expression = (byType ?? filter.getStreamIdentifier())!;
  const regex = expression.getRegex() === '' ? undefined : new RegExp(expression.getRegex());
  const prefixes = expression.getPrefixList();
  return ({ type, stream }) => {
    const text = byType === undefined ? stream : type;
    return regex?.test(text) ?? prefixes.some((prefix) => text.startsWith(prefix));
  };
};

const send = async (call: Call, records: readonly StoredRecord[], count: number): Promise<void> => {
  let sent = 0;
  for (const record of records) {
    if (call.cancelled || sent === count) break;
    await write(call, eventOf(record));
    sent += 1;
  }
  call.end();
};

const readStream = async (call: Call, store: RecordStore, options: Options): Promise<void> => {
  const from = options.getStream()!;
  const stream = nameOf(from.getStreamIdentifier());
  const records = store.of(stream);
  if (records === undefined) {
    await write(call, notFound(stream));
    call.end();
    return;
  }
  const backwards = options.getReadDirection() === BACKWARDS;
  const revision = from.hasRevision() ? Number(from.getRevision()) : from.hasEnd() ? records.length : 0;
  const wanted = backwards ? records.slice(0, revision + 1).reverse() : records.slice(revision);
  await send(call, wanted, Number(options.getCount()));
};

const readAll = async (call: Call, store: RecordStore, options: Options): Promise<void> => {
  const from = options.getAll()!;
  const backwards = options.getReadDirection() === BACKWARDS;
  const index = from.hasStart() ? 0 : from.hasEnd() ? store.all.length : store.indexOf(commitOf(options));
  if (index === undefined) {
    fail(call, status.UNKNOWN, 'Unexpected ReadAllResult: InvalidPosition');
    return;
  }
  const records = backwards ? store.all.slice(0, index).reverse() : store.all.slice(index);
  await send(call, records.filter(isFound(options)), Number(options.getCount()));
};

const commitOf = (options: Options): number => Number(options.getAll()!.getPosition()!.getCommitPosition());

/**
 * A checkpoint comes after every requested number of records, and once before the subscription has caught up. That one
 * names the end of the log, where the next event will be: a place with a commit position only.
 */
const subscribe = async (call: Call, store: RecordStore, options: Options): Promise<void> => {
  const found = isFound(options);
  const filter = options.getFilter();
  const interval = (filter?.getMax() || WINDOW) * (filter?.getCheckpointintervalmultiplier() || 1);
  const from = options.getAll()!;
  const start = from.hasStart() ? 0 : from.hasEnd() ? store.all.length : store.indexOf(commitOf(options));
  if (start === undefined) {
    fail(call, status.INVALID_ARGUMENT, 'Trying to read from an invalid position.');
    return;
  }
  await write(call, confirmation());
  const position = from.getPosition();
  let index = start;
  // Beyond a place with both halves means beyond the event there.
  if (position !== undefined && position.getPreparePosition() !== '0') {
    if (store.all[index]?.position === Number(position.getCommitPosition())) index += 1;
  }
  let isLive = false;
  let looked = 0;
  let ring = () => {};
  const silence = store.onAppended(() => ring());
  call.on('cancelled', () => ring());
  while (!call.cancelled) {
    const record = store.all[index];
    if (record === undefined) {
      if (!isLive) {
        if (filter !== undefined) await write(call, checkpointAt(store.end, 0));
        await write(call, caughtUp());
        isLive = true;
      }
      const rung = new Promise<void>((resolve) => {
        ring = resolve;
      });
      if (index === store.all.length && !call.cancelled) await rung;
      continue;
    }
    index += 1;
    looked += 1;
    if (found(record)) await write(call, eventOf(record));
    if (filter !== undefined && looked % interval === 0)
      await write(call, checkpointAt(record.position, record.position));
  }
  silence();
};

export const read = async (call: Call, store: RecordStore): Promise<void> => {
  const options = call.request.getOptions()!;
  if (options.hasSubscription()) await subscribe(call, store, options);
  else if (options.hasStream()) await readStream(call, store, options);
  else await readAll(call, store, options);
};
