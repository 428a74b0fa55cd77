/** Reading and subscribing, as the server does it: reads begin at a position, subscriptions beyond it. */
import type {
  ReadReq as ReadReqMessage,
  ReadResp as ReadRespMessage,
} from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { caughtUp, checkpointAt, confirmation, eventOf, nameOf, notFound } from './messages.testing.ts';
import type { RecordStore, StoredRecord } from './store.testing.ts';

type Call = ServerWritableStream<ReadReqMessage, ReadRespMessage>;
type Options = ReadReqMessage.Options;

const BACKWARDS = 1;
/** What is looked through at once where the client does not say. */
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
 * Checkpoints come whenever as many records as asked for were looked through, and before the subscription has caught up.
 * That one names the end of the log, where the next event will be: a place with a commit position only.
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
  // Beyond a place with both halves is beyond the event there.
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
