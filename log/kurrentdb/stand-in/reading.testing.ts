/** Reading and subscribing, as the server does it: reads begin at a position, subscriptions beyond it. */

import type {
  ReadReq as ReadReqMessage,
  ReadResp as ReadRespMessage,
} from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerWritableStream, type ServiceError, status } from '@grpc/grpc-js';
import {
  caughtUp,
  checkpointAt,
  confirmation,
  eventOf,
  failureOf,
  nameOf,
  notFound,
  refused,
  tombstoned,
} from './messages.testing.ts';
import type { Place, RecordStore, StoredRecord } from './store.testing.ts';

export type ReadCall = ServerWritableStream<ReadReqMessage, ReadRespMessage>;
type Options = ReadReqMessage.Options;

/** Where servers differ, and what a spec may ask for. */
export interface ReadingHabits {
  /** How a place where no record begins is refused: as 23.10 does, or as newer servers do. */
  misplaced: 'as 23.10' | 'as newer';
  /** A live subscription that lags by more records than this is aborted. */
  mostLag: number;
  /** Records read for `$all` so far, whether or not they were sent. */
  recordsRead: number;
  /** Records sent so far. */
  recordsSent: number;
}

const BACKWARDS = 1;
/** Records searched at once when the client does not say. */
const WINDOW = 32;

export const fail = (call: ReadCall, failure: Pick<ServiceError, 'code' | 'details' | 'metadata'>): void => {
  call.emit('error', failure);
};

/** @returns whether the client took it at once */
const write = async (call: ReadCall, message: ReadRespMessage): Promise<boolean> => {
  if (call.cancelled || call.write(message)) return true;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      call.off('drain', done).off('cancelled', done);
      resolve();
    };
    call.on('drain', done).on('cancelled', done);
  });
  return false;
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

/** The prepare position may lie below the commit position, and not above it. */
const placeOf = (store: RecordStore, options: Options): Place | undefined => {
  const from = options.getAll()!;
  if (from.hasStart()) return { index: 0, kind: 'record' };
  if (from.hasEnd()) return { index: store.all.length, kind: 'end' };
  const position = from.getPosition()!;
  const [commit, prepare] = [Number(position.getCommitPosition()), Number(position.getPreparePosition())];
  return prepare > commit ? undefined : store.placeOf(commit);
};

const refuse = (call: ReadCall, { misplaced }: ReadingHabits, as2310: string): void =>
  fail(
    call,
    misplaced === 'as newer'
      ? failureOf(status.INVALID_ARGUMENT, 'Trying to read from an invalid position.')
      : failureOf(status.UNKNOWN, as2310),
  );

const writeRecord = (call: ReadCall, record: StoredRecord, habits: ReadingHabits): Promise<boolean> => {
  habits.recordsSent += 1;
  return write(call, eventOf(record));
};

const send = async (
  call: ReadCall,
  records: Iterable<StoredRecord>,
  count: number,
  habits: ReadingHabits,
): Promise<void> => {
  let sent = 0;
  for (const record of records) {
    if (call.cancelled || sent === count) break;
    await writeRecord(call, record, habits);
    sent += 1;
  }
  call.end();
};

const readStream = async (
  call: ReadCall,
  store: RecordStore,
  options: Options,
  habits: ReadingHabits,
): Promise<void> => {
  const from = options.getStream()!;
  const stream = nameOf(from.getStreamIdentifier());
  if (store.isDenied(stream, 'read')) return fail(call, refused('denied'));
  const records = store.of(stream);
  if (records === 'tombstoned') return fail(call, tombstoned(stream));
  if (records === undefined) {
    await write(call, notFound(stream));
    call.end();
    return;
  }
  const backwards = options.getReadDirection() === BACKWARDS;
  const end = store.revisionOf(stream) + 1;
  const revision = from.hasRevision() ? Number(from.getRevision()) : from.hasEnd() ? end : 0;
  const wanted = backwards
    ? records.filter((one) => one.revision <= revision).reverse()
    : records.filter((one) => one.revision >= revision);
  await send(call, wanted, Number(options.getCount()), habits);
};

function* passing(
  store: RecordStore,
  first: number,
  step: 1 | -1,
  habits: ReadingHabits,
  found: (record: StoredRecord) => boolean,
): Generator<StoredRecord> {
  const { all } = store;
  for (let i = first; i >= 0 && i < all.length; i += step) {
    habits.recordsRead += 1;
    if (found(all[i]!)) yield all[i]!;
  }
}

const readAll = async (call: ReadCall, store: RecordStore, options: Options, habits: ReadingHabits): Promise<void> => {
  const place = placeOf(store, options);
  if (place === undefined) return refuse(call, habits, 'Unexpected ReadAllResult: Error');
  const backwards = options.getReadDirection() === BACKWARDS;
  const records = passing(
    store,
    backwards ? place.index - 1 : place.index,
    backwards ? -1 : 1,
    habits,
    isFound(options),
  );
  await send(call, records, Number(options.getCount()), habits);
};

/**
 * While it catches up, it reports its progress after each page of records: the last event it found there, or, if none,
 * where the page began, as a place with a commit position only. It reports none for the page that reaches the end.
 */
const subscribe = async (
  call: ReadCall,
  store: RecordStore,
  options: Options,
  habits: ReadingHabits,
): Promise<void> => {
  const found = isFound(options);
  const filter = options.getFilter();
  const window = filter?.getMax() || WINDOW;
  const interval = window * (filter?.getCheckpointintervalmultiplier() || 1);
  const from = options.getAll()!;
  const place = placeOf(store, options);
  if (place === undefined) return refuse(call, habits, 'Exception was thrown by handler.');
  await write(call, confirmation());
  const position = from.getPosition();
  const hasBothHalves = position !== undefined && position.getPreparePosition() !== '0';
  const isExclusive =
    position !== undefined && ((place.kind === 'record' && hasBothHalves) || place.kind === 'removed');
  // Beyond a place with both halves means beyond the record there. If it is gone, the server takes the next one for it.
  const first = isExclusive ? place.index + 1 : place.index;
  /** Position of the last record passed: scavenging moves records in the list. */
  let passed = store.all[first - 1]?.position ?? 0;
  let begun = Number(position?.getCommitPosition() ?? 0);

  for (;;) {
    const index = store.indexBeyond(passed);
    const page = store.all.slice(index, index + window);
    const isLast = index + window >= store.all.length;
    let last: StoredRecord | undefined;
    for (const record of page) {
      if (call.cancelled) return;
      passed = record.position;
      habits.recordsRead += 1;
      if (!found(record)) continue;
      await writeRecord(call, record, habits);
      last = record;
    }
    if (isLast && store.indexBeyond(passed) >= store.all.length) break;
    if (filter !== undefined)
      await write(call, last === undefined ? checkpointAt(begun, 0) : checkpointAt(last.position, last.position));
    begun = store.all[store.indexBeyond(passed)]?.position ?? store.end;
  }
  await write(call, caughtUp());

  let looked = 0;
  let ring = () => {};
  const silence = store.onAppended(() => ring());
  call.on('cancelled', () => ring());
  while (!call.cancelled) {
    const record = store.all[store.indexBeyond(passed)];
    if (record === undefined) {
      await new Promise<void>((resolve) => {
        ring = resolve;
        if (store.indexBeyond(passed) < store.all.length || call.cancelled) resolve();
      });
      continue;
    }
    passed = record.position;
    looked += 1;
    habits.recordsRead += 1;
    const isTaken = !found(record) || (await writeRecord(call, record, habits));
    if (!isTaken && store.all.length - store.indexBeyond(passed) > habits.mostLag) {
      fail(call, failureOf(status.ABORTED, 'Operation timed out: Consumer too slow to handle event while live.'));
      break;
    }
    if (filter !== undefined && looked % interval === 0)
      await write(call, checkpointAt(record.position, record.position));
  }
  silence();
};

export const read = async (call: ReadCall, store: RecordStore, habits: ReadingHabits): Promise<void> => {
  const options = call.request.getOptions()!;
  if (options.hasSubscription()) await subscribe(call, store, options, habits);
  else if (options.hasStream()) await readStream(call, store, options, habits);
  else await readAll(call, store, options, habits);
};
