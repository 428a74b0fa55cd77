/**
 * Decodes what Kafka answers to a fetch in one go. kafkajs makes a Decoder and several Buffers, Longs and BigInts of each
 * record, for each group that reads it. What comes out is the same.
 */
import Broker, { type Fetched } from 'kafkajs/src/broker/index.js';

/** The version of the answer that has this form: the highest that kafkajs knows. */
const VERSION = 11;
const MAGIC = 2;
/** Where a batch says of which form it is. */
const MAGIC_AT = 16;
/** Of a batch without records; behind its length there are at least 49 bytes of these. */
const BATCH_BYTES = 61;
const LEAST_BYTES = 49;
/** Attributes of a batch. */
const COMPRESSED = 0x7;
const LOG_APPEND_TIME = 0x8;
const IN_TRANSACTION = 0x10;
const IS_CONTROL = 0x20;

/** It has something that only kafkajs decodes. */
class Unusual extends Error {}

/** Of the first half of a number that is exact, also with one of 32 bits added. */
const MOST_HIGH = 2 ** 20;

class Answer {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int8(): number {
    this.at += 1;
    return this.bytes.readInt8(this.at - 1);
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  /** Exactly. */
  int64(): number {
    const high = this.int32();
    const low = this.int32() >>> 0;
    if (high < -1 || high >= MOST_HIGH) throw new Unusual();
    return high * 2 ** 32 + low;
  }

  varInt(): number {
    let shift = 0;
    let value = 0;
    for (;;) {
      const byte = this.bytes[this.at];
      this.at += 1;
      if (byte === undefined || (shift === 28 && byte > 0xf)) throw new Unusual();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
      shift += 7;
    }
  }

  slice(length: number): Buffer {
    if (length < 0) throw new Unusual();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  varBytes(): Buffer | null {
    const length = this.varInt();
    return length === -1 ? null : this.slice(length);
  }

  /** How many follow; -1 where there is no list. */
  count(): number {
    const count = this.int32();
    if (count < -1) throw new Unusual();
    return count;
  }

  list<T>(one: () => T): T[] {
    const list: T[] = [];
    for (let left = this.count(); left > 0; left -= 1) list.push(one());
    return list;
  }
}

/** Adds the records of the next batch, or skips the beginning of one whose end is missing. */
const takeBatch = (answer: Answer, end: number, records: object[]): void => {
  const first = answer.int64();
  const length = answer.int32();
  const behind = answer.at + length;
  if (behind > end) {
    answer.at = end;
    return;
  }
  if (length < BATCH_BYTES - 12) throw new Unusual();
  const partitionLeaderEpoch = answer.int32();
  const magicByte = answer.int8();
  answer.int32();
  const attributes = answer.int16();
  if (magicByte !== MAGIC || (attributes & COMPRESSED) !== 0) throw new Unusual();
  const lastOffsetDelta = answer.int32();
  const firstTime = answer.int64();
  const lastTime = answer.int64();
  const isAppendTime = (attributes & LOG_APPEND_TIME) !== 0;
  const maxTimestamp = String(lastTime);
  const isControlBatch = (attributes & IS_CONTROL) !== 0;
  const batchContext = {
    firstOffset: String(first),
    firstTimestamp: String(firstTime),
    partitionLeaderEpoch,
    inTransaction: (attributes & IN_TRANSACTION) !== 0,
    isControlBatch,
    lastOffsetDelta,
    producerId: String(answer.int64()),
    producerEpoch: answer.int16(),
    firstSequence: answer.int32(),
    maxTimestamp,
    timestampType: isAppendTime ? 1 : 0,
    magicByte,
  };
  for (let left = answer.count(); left > 0; left -= 1) {
    const bytes = answer.varInt();
    const after = answer.at + bytes;
    const attributes = answer.int8();
    const time = answer.varInt();
    const offset = String(first + answer.varInt());
    const key = answer.varBytes();
    const value = answer.varBytes();
    if (answer.varInt() !== 0 || answer.at !== after || after > behind) throw new Unusual();
    records.push({
      magicByte,
      attributes,
      timestamp: isAppendTime ? maxTimestamp : String(firstTime + time),
      offset,
      key,
      value,
      headers: {},
      isControlRecord: isControlBatch,
      batchContext,
    });
  }
  answer.at = behind;
};

const recordsIn = (answer: Answer): readonly object[] => {
  const records: object[] = [];
  const bytes = answer.int32();
  if (bytes <= 0 || bytes > answer.bytes.length - answer.at) return records;
  const end = answer.at + bytes;
  if (bytes <= MAGIC_AT || answer.bytes[answer.at + MAGIC_AT] !== MAGIC) throw new Unusual();
  while (end - answer.at >= LEAST_BYTES) takeBatch(answer, end, records);
  answer.at = end;
  return records;
};

const decodedFetch = (bytes: Buffer): unknown => {
  const answer = new Answer(bytes);
  return {
    throttleTime: 0,
    clientSideThrottleTime: answer.int32(),
    errorCode: answer.int16(),
    sessionId: answer.int32(),
    responses: answer.list(() => ({
      topicName: answer.slice(answer.int16()).toString(),
      partitions: answer.list(() => ({
        partition: answer.int32(),
        errorCode: answer.int16(),
        highWatermark: String(answer.int64()),
        lastStableOffset: String(answer.int64()),
        lastStartOffset: String(answer.int64()),
        abortedTransactions: answer.list(() => ({
          producerId: String(answer.int64()),
          firstOffset: String(answer.int64()),
        })),
        preferredReadReplica: answer.int32(),
        messages: recordsIn(answer),
      })),
    })),
  };
};

const { fetch } = Broker.prototype;

/** Whatever is not as expected is given to kafkajs, which says what is wrong with it. */
const decoding =
  (made: Fetched): Fetched['response']['decode'] =>
  async (bytes) => {
    try {
      return decodedFetch(bytes);
    } catch {
      return made.response.decode(bytes);
    }
  };

Broker.prototype.fetch = function (given) {
  const { lookupRequest } = this;
  const inOneGo = (key: number, versions: unknown) => (request: never) => {
    const made = lookupRequest(key, versions)(request) as unknown as Fetched;
    if (made.request.apiVersion !== VERSION) return made;
    return { ...made, response: { ...made.response, decode: decoding(made) } };
  };
  return fetch.call(Object.create(this, { lookupRequest: { value: inOneGo } }) as Broker, given);
};
