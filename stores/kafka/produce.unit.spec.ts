import { createRequire } from 'node:module';
import fc from 'fast-check';
import Broker, { type ProduceRequest, type Sent } from 'kafkajs/src/broker/index.js';
import type Encoder from 'kafkajs/src/protocol/encoder.js';
import Long from 'kafkajs/src/utils/long.js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import './produce.ts';

type Made = { readonly request: { readonly encode: () => Promise<Encoder> } };

const { Produce } = createRequire(import.meta.url)('kafkajs/src/protocol/requests/index.js').requests as {
  readonly Produce: { protocol(options: { version: number }): (request: ProduceRequest) => Made };
};

/** What a broker that speaks this version is sent, and what kafkajs alone would send. */
const sentTo = async (version: number, given: Partial<ProduceRequest>): Promise<{ ours: Buffer; theirs: Buffer }> => {
  let theirs: Promise<Encoder> | undefined;
  const broker = Object.assign(Object.create(Broker.prototype) as typeof Broker.prototype, {
    lookupRequest: () => (request: ProduceRequest) => {
      const made = Produce.protocol({ version })(request);
      theirs = made.request.encode();
      return made;
    },
    connectionPool: { send: async ({ request }: Made) => (await request.encode()).buffer },
  });
  const ours = (await broker.produce(given)) as Buffer;
  return { ours, theirs: (await theirs!).buffer };
};

const text = fc.option(fc.string({ unit: 'binary', maxLength: 200 }));
const plain = fc.record({ key: text, value: text });
const special: fc.Arbitrary<Sent> = fc.oneof(
  fc.record({ value: text, headers: fc.constant({ why: 'not' }) }),
  fc.record({ value: text, timestamp: fc.constant('1700000000000') }),
);
const requestsOf = (message: fc.Arbitrary<Sent>) =>
  fc.record({
    transactionalId: fc.constantFrom(null, 'one'),
    producerId: fc.bigInt({ min: -1n, max: 2n ** 60n }).map((id) => Long.fromValue(id)),
    producerEpoch: fc.nat(1000),
    topicData: fc.array(
      fc.record({
        topic: fc.string({ maxLength: 50 }),
        partitions: fc.array(
          fc.record({
            partition: fc.nat(100),
            firstSequence: fc.nat(),
            messages: fc.array(message, { minLength: 1, maxLength: 100 }),
          }),
          { maxLength: 8 },
        ),
      }),
      { maxLength: 2 },
    ),
  });

beforeEach(() => void vi.useFakeTimers({ now: 1_700_000_000_000, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

it('sends the bytes that kafkajs would send, whatever is sent', async () => {
  const versions = fc.constantFrom(3, 4, 5, 6, 7);
  await fc.assert(
    fc.asyncProperty(
      versions,
      requestsOf(fc.oneof({ weight: 50, arbitrary: plain }, special)),
      async (version, given) => {
        const { ours, theirs } = await sentTo(version, given);
        expect(ours.equals(theirs)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

it('leaves what has headers or a time, and other versions, to kafkajs', async () => {
  await fc.assert(
    fc.asyncProperty(requestsOf(special), async (given) => {
      const { ours, theirs } = await sentTo(7, given);
      expect(ours.equals(theirs)).toBe(true);
    }),
    { numRuns: 10 },
  );
});
