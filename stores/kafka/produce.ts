/**
 * Encodes what is sent to Kafka in one piece. kafkajs gives each record, batch, partition and topic a Buffer of its own,
 * which grows by doubling, and copies each into the next: ten times the bytes. The bytes sent are the same.
 */
import Broker, { type ProduceRequest, type Sent } from 'kafkajs/src/broker/index.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import crc32C from 'kafkajs/src/protocol/recordBatch/crc32C/index.js';

/** The versions of the request that have this form, with batches of version 2. */
const VERSIONS = { from: 3, to: 7 };
const MAGIC = 2;
/** From a batch's first field to its checksum, and from there to its records. */
const BEFORE_CHECKSUM = 8 + 4 + 4 + 1;
const AFTER_CHECKSUM = 2 + 4 + 8 + 8 + 8 + 2 + 4 + 4;
/** Its attributes, time and headers. */
const RECORD_REST = 3;
/** Of the batch's fields, those that its length counts not: its first offset and the length. */
const UNCOUNTED = 8 + 4;

const isText = (value: unknown): value is string | null | undefined => value == null || typeof value === 'string';

/** Whether it is all strings, without times, headers, compression or a transaction. */
const isPlain = ({ transactionalId, compression, topicData }: ProduceRequest): boolean =>
  transactionalId == null &&
  compression === 0 &&
  topicData.every(({ partitions }) =>
    partitions.every(({ messages }) =>
      messages.every(
        ({ key, value, timestamp, headers }) =>
          isText(key) && isText(value) && timestamp === undefined && headers === undefined,
      ),
    ),
  );

const bytesOfText = (text: string | null | undefined): number => (text == null ? 0 : Buffer.byteLength(text));
const lengthOf = (text: string | null | undefined, bytes: number): number => (text == null ? -1 : bytes);

interface Sizes {
  /** Of each record without its own length. */
  readonly bodies: number[];
  readonly keys: number[];
  readonly values: number[];
  /** Of all records. */
  records: number;
}

const sizesOf = (messages: readonly Sent[]): Sizes => {
  const sizes: Sizes = { bodies: [], keys: [], values: [], records: 0 };
  for (const [i, { key, value }] of messages.entries()) {
    const keyBytes = bytesOfText(key);
    const valueBytes = bytesOfText(value);
    const body =
      RECORD_REST +
      Encoder.sizeOfVarInt(i) +
      Encoder.sizeOfVarInt(lengthOf(key, keyBytes)) +
      keyBytes +
      Encoder.sizeOfVarInt(lengthOf(value, valueBytes)) +
      valueBytes;
    sizes.bodies.push(body);
    sizes.keys.push(keyBytes);
    sizes.values.push(valueBytes);
    sizes.records += Encoder.sizeOfVarInt(body) + body;
  }
  return sizes;
};

const writeText = (encoder: Encoder, text: string | null | undefined, bytes: number): void => {
  encoder.writeVarInt(lengthOf(text, bytes));
  if (text == null) return;
  encoder.buf.write(text, encoder.offset);
  encoder.offset += bytes;
};

const batchBytes = ({ records }: Sizes): number => BEFORE_CHECKSUM + 4 + AFTER_CHECKSUM + records;

/** @param time milliseconds since 1970 */
const encodeProduce = (request: ProduceRequest, time: number): Encoder => {
  const { acks, timeout, producerId, producerEpoch, topicData } = request;
  const topics = topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((one) => ({ ...one, sizes: sizesOf(one.messages) })),
  }));
  let bytes = 2 + 2 + 4 + 4;
  for (const { topic, partitions } of topics) {
    bytes += 2 + Buffer.byteLength(topic) + 4;
    for (const { sizes } of partitions) bytes += 4 + 4 + batchBytes(sizes);
  }
  const encoder = new Encoder(1);
  // A number of variable length makes sure of the room for the longest.
  encoder.buf = Buffer.allocUnsafe(bytes + 8);
  encoder.writeString(null).writeInt16(acks).writeInt32(timeout).writeInt32(topics.length);
  for (const { topic, partitions } of topics) {
    encoder.writeString(topic).writeInt32(partitions.length);
    for (const { partition, messages, firstSequence, sizes } of partitions) {
      const size = batchBytes(sizes);
      encoder.writeInt32(partition).writeInt32(size);
      encoder
        .writeInt64(0)
        .writeInt32(size - UNCOUNTED)
        .writeInt32(0)
        .writeInt8(MAGIC);
      const checksumAt = encoder.offset;
      encoder.writeInt32(0);
      const from = encoder.offset;
      encoder
        .writeInt16(0)
        .writeInt32(messages.length - 1)
        .writeInt64(time)
        .writeInt64(time)
        .writeInt64(producerId)
        .writeInt16(producerEpoch)
        .writeInt32(firstSequence)
        .writeInt32(messages.length);
      for (const [i, { key, value }] of messages.entries()) {
        encoder.writeVarInt(sizes.bodies[i]!).writeInt8(0).writeInt8(0).writeVarInt(i);
        writeText(encoder, key, sizes.keys[i]!);
        writeText(encoder, value, sizes.values[i]!);
        encoder.writeVarInt(0);
      }
      encoder.buf.writeUInt32BE(crc32C(encoder.buf.subarray(from, encoder.offset)), checksumAt);
    }
  }
  return encoder;
};

const { produce } = Broker.prototype;

Broker.prototype.produce = function (given) {
  const { lookupRequest } = this;
  const inOnePiece: typeof lookupRequest = (key, versions) => (request) => {
    const made = lookupRequest(key, versions)(request);
    const { apiVersion } = made.request;
    if (apiVersion < VERSIONS.from || apiVersion > VERSIONS.to || !isPlain(request)) return made;
    return { ...made, request: { ...made.request, encode: async () => encodeProduce(request, Date.now()) } };
  };
  return produce.call(Object.create(this, { lookupRequest: { value: inOnePiece } }) as Broker, given);
};
