/**
 * What a subscription is asked and what it tells. The client makes three objects of each event, and a promise for it. As
 * most of what a process reads comes from here, we read the messages ourselves.
 */

import type { Position, ReadPosition } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { ReadReq as ReadReqMessage } from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { WireReader } from './wire.ts';

const { ReadReq } = streams;
const { Options } = ReadReq;

/** Which events; the server leaves the others out. */
export type EventFilter =
  | { readonly by: 'type' | 'stream'; readonly prefixes: readonly string[] }
  | { readonly by: 'type'; readonly regex: string };

export interface SubscriptionQuery {
  /** Exclusive. */
  readonly behind: ReadPosition;
  readonly filter: EventFilter;
  /** Records that the server searches before it tells its progress, whether or not it found any. */
  readonly window: number;
}

export const subscriptionRequest = ({ behind, filter, window }: SubscriptionQuery): ReadReqMessage => {
  const all = new Options.AllOptions();
  if (behind === 'start') all.setStart(new shared.Empty());
  else if (behind === 'end') all.setEnd(new shared.Empty());
  else {
    const position = new Options.Position();
    position.setCommitPosition(behind.commit.toString());
    position.setPreparePosition(behind.prepare.toString());
    all.setPosition(position);
  }
  const expression = new Options.FilterOptions.Expression();
  if ('regex' in filter) expression.setRegex(filter.regex);
  else expression.setPrefixList([...filter.prefixes]);
  const filtering = new Options.FilterOptions();
  if (filter.by === 'type') filtering.setEventType(expression);
  else filtering.setStreamIdentifier(expression);
  filtering.setMax(window);
  filtering.setCheckpointintervalmultiplier(1);
  const ids = new Options.UUIDOption();
  ids.setString(new shared.Empty());
  const options = new Options();
  options.setAll(all);
  options.setSubscription(new Options.SubscriptionOptions());
  options.setFilter(filtering);
  options.setUuidOption(ids);
  const request = new ReadReq();
  request.setOptions(options);
  return request;
};

/** An event as the client would tell it, without what we never ask for. */
export interface RecordTold {
  readonly streamId: string;
  readonly type: string;
  readonly revision: bigint;
  readonly position: Position;
  /** Parsed where it is JSON. */
  readonly data: unknown;
  readonly metadata: unknown;
}

export type Told =
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'event'; readonly event: RecordTold }
  /** Everything up to here has been searched. Only for subscribing again: it need not be the place of an event. */
  | { readonly kind: 'checkpoint'; readonly position: Position }
  /** Everything present when the subscription began has been delivered. */
  | { readonly kind: 'caught up' };

/** The numbers of the fields, from the server's `streams.proto` and `shared.proto`. */
const IN = {
  response: { event: 1, confirmation: 2, checkpoint: 3, caughtUp: 8 },
  event: { recorded: 1 },
  recorded: { stream: 2, revision: 3, prepare: 4, commit: 5, properties: 6, metadata: 7, data: 8 },
  stream: { name: 3 },
  property: { key: 1, value: 2 },
  checkpoint: { commit: 1, prepare: 2 },
} as const;

const JSON_TYPE = 'application/json';

/** What another program wrote need not be what it is called. */
const parsed = (bytes: Buffer, otherwise: (bytes: Buffer) => unknown): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return otherwise(bytes);
  }
};

const NONE = Buffer.alloc(0);

const recordIn = (reader: WireReader): RecordTold => {
  let streamId = '';
  let type = '';
  let contentType = '';
  let revision = 0n;
  let commit = 0n;
  let prepare = 0n;
  let metadata: Buffer = NONE;
  let data: Buffer = NONE;
  const property = (): void => {
    let key = '';
    let value = '';
    reader.message((field) => {
      if (field === IN.property.key) key = reader.text();
      else if (field === IN.property.value) value = reader.text();
      else reader.skip();
    });
    if (key === 'type') type = value;
    else if (key === 'content-type') contentType = value;
  };
  reader.message((field) => {
    if (field === IN.recorded.data) data = reader.bytes();
    else if (field === IN.recorded.metadata) metadata = reader.bytes();
    else if (field === IN.recorded.properties) property();
    else if (field === IN.recorded.commit) commit = reader.uint64();
    else if (field === IN.recorded.prepare) prepare = reader.uint64();
    else if (field === IN.recorded.revision) revision = reader.uint64();
    else if (field === IN.recorded.stream)
      reader.message((inner) => {
        if (inner === IN.stream.name) streamId = reader.text();
        else reader.skip();
      });
    else reader.skip();
  });
  return {
    streamId,
    type,
    revision,
    position: { commit, prepare },
    data: contentType === JSON_TYPE ? parsed(data, (bytes) => bytes.toString('utf8')) : data,
    metadata: metadata.length === 0 ? undefined : parsed(metadata, (bytes) => bytes),
  };
};

/** @returns `undefined` for what says nothing to us @throws RangeError for what is no message */
export const toldIn = (message: Buffer): Told | undefined => {
  const reader = new WireReader(message);
  let told: Told | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === IN.response.event)
      reader.message((inner) => {
        if (inner === IN.event.recorded) told = { kind: 'event', event: recordIn(reader) };
        else reader.skip();
      });
    else if (field === IN.response.checkpoint) {
      let commit = 0n;
      let prepare = 0n;
      reader.message((inner) => {
        if (inner === IN.checkpoint.commit) commit = reader.uint64();
        else if (inner === IN.checkpoint.prepare) prepare = reader.uint64();
        else reader.skip();
      });
      told = { kind: 'checkpoint', position: { commit, prepare } };
    } else {
      if (field === IN.response.confirmation) told = { kind: 'confirmed' };
      else if (field === IN.response.caughtUp) told = { kind: 'caught up' };
      reader.skip();
    }
  }
  return told;
};
