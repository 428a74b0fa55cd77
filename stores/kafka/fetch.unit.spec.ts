import { createRequire } from 'node:module';
import fc from 'fast-check';
import Broker, { type Fetched } from 'kafkajs/src/broker/index.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import { expect, it } from 'vitest';
import './fetch.ts';

const inside = createRequire(import.meta.url);
const { Fetch } = inside('kafkajs/src/protocol/requests/index.js').requests as {
  readonly Fetch: { protocol(options: { version: number }): (request: object) => Fetched };
};
type Encode<T> = (given: T) => Encoder;
const Record = inside('kafkajs/src/protocol/recordBatch/record/v0/index.js') as Encode<object>;
const { RecordBatch } = inside('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  readonly RecordBatch: (given: object) => Promise<Encoder & { size(): number }>;
};

/** What a consumer is given of an answer, and what kafkajs alone would make of it. */
const decodedBoth = async (bytes: Buffer): Promise<{ ours: unknown; theirs: unknown; byKafkajs: boolean }> => {
  const outcome = (decoded: Promise<unknown>) =>
    decoded.then(
      (value) => ({ value }),
      (failure: Error) => ({ failure: failure.name }),
    );
  const original = Fetch.protocol({ version: 11 })({ topics: [], maxWaitTime: 1 });
  let byKafkajs = false;
  const decode = (given: Buffer) => {
    byKafkajs = true;
    return original.response.decode(given);
  };
  const made = { ...original, response: { ...original.response, decode } };
  const broker = Object.assign(Object.create(Broker.prototype) as typeof Broker.prototype, {
    lookupRequest: () => () => made,
    connectionPool: { send: ({ response }: Fetched) => outcome(response.decode(bytes)) },
  });
  const ours = await broker.fetch({ topics: [] });
  return { ours, theirs: await outcome(original.response.decode(bytes)), byKafkajs };
};

const bytes = fc.option(fc.uint8Array({ maxLength: 120 }).map((some) => Buffer.from(some)));
const recordsOf = (usual: boolean) =>
  fc.array(
    fc.record({
      key: bytes,
      value: bytes,
      timestampDelta: usual
        ? fc.integer({ min: 0, max: 100_000 })
        : fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: 2 ** 30, max: 2 ** 36 })),
      headers: usual ? fc.constant({}) : fc.constantFrom({}, { why: 'not' }),
    }),
    { minLength: 1, maxLength: 30 },
  );
const batchOf = (usual: boolean) =>
  fc.record({
    firstOffset: usual ? fc.maxSafeNat().map((n) => Math.floor(n / 2)) : fc.bigInt({ min: 0n, max: 2n ** 62n }),
    firstTimestamp: fc.integer({ min: 0, max: 2 ** 41 }),
    maxTimestamp: fc.integer({ min: 0, max: 2 ** 41 }),
    producerId: fc.integer({ min: -1, max: 2 ** 40 }),
    records: recordsOf(usual),
    isAppendTime: fc.boolean(),
    compression: usual ? fc.constant(0) : fc.constantFrom(0, 1),
    transactional: fc.boolean(),
  });
type Batch = (ReturnType<typeof batchOf> extends fc.Arbitrary<infer T> ? T : never) & object;

const encodedBatch = async ({ records, isAppendTime, ...given }: Batch): Promise<Buffer> => {
  const batch = await RecordBatch({
    ...given,
    records: records.map((record, offsetDelta) => Record({ ...record, offsetDelta })),
    lastOffsetDelta: records.length - 1,
  });
  const { buffer } = batch;
  // kafkajs never sets it, the brokers do.
  if (isAppendTime) buffer.writeInt16BE(buffer.readInt16BE(21) | 8, 21);
  return buffer;
};

/** @param cut bytes that are missing at the end of each partition, as where a fetch has reached its most bytes */
const answerOf = async (batches: readonly (readonly Batch[])[], cut: number): Promise<Buffer> => {
  const answer = new Encoder().writeInt32(3).writeInt16(0).writeInt32(0).writeInt32(1);
  answer.writeString('events').writeInt32(batches.length);
  for (const [partition, some] of batches.entries()) {
    const all = Buffer.concat(await Promise.all(some.map(encodedBatch)));
    const records = all.subarray(0, Math.max(0, all.length - cut));
    answer.writeInt32(partition).writeInt16(0).writeInt64(1000).writeInt64(900).writeInt64(5).writeInt32(1);
    answer.writeInt64(7).writeInt64(8).writeInt32(-1).writeInt32(records.length);
    answer.ensureAvailable(records.length);
    records.copy(answer.buf, answer.offset);
    answer.offset += records.length;
  }
  return answer.buffer;
};
const partitions = (usual: boolean) =>
  fc.array(fc.array(batchOf(usual) as fc.Arbitrary<Batch>, { maxLength: 3 }), { maxLength: 4 });
const cut = fc.oneof(fc.constant(0), fc.nat(200));

it.each([
  ['usual', true],
  ['unusual', false],
])('makes of %s records what kafkajs makes of them', async (_, usual) => {
  await fc.assert(
    fc.asyncProperty(partitions(usual), cut, async (given, missing) => {
      const { ours, theirs, byKafkajs } = await decodedBoth(await answerOf(given, missing));
      expect(ours).toEqual(theirs);
      // The rest is left to it.
      if (usual && missing === 0) expect(byKafkajs).toBe(false);
    }),
    { numRuns: 60 },
  );
});

it('leaves what is damaged or cut off to kafkajs', async () => {
  const damages = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(partitions(true), damages, cut, async (given, damaged, missing) => {
      const whole = Buffer.from(await answerOf(given, 0));
      for (const { at, byte } of damaged) whole[at % whole.length] = byte;
      const { ours, theirs } = await decodedBoth(whole.subarray(0, Math.max(0, whole.length - missing)));
      expect(ours).toEqual(theirs);
    }),
    { numRuns: 100 },
  );
});
