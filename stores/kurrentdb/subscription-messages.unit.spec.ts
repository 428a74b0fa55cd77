import { convertGrpcEvent } from '@eventstore/db-client/dist/utils/convertGrpcEvent.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toldIn } from './subscription-messages.ts';

const { ReadResp } = streams;
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
/** Numbers of every length, and the ends of each length. */
const numbers = fc.oneof(
  uint64,
  fc.tuple(fc.integer({ min: 0, max: 63 }), fc.constantFrom(0n, 1n)).map(([bits, less]) => 2n ** BigInt(bits) - less),
);
const bytes = fc.oneof(
  fc.json().map((json) => Buffer.from(json)),
  fc.constantFrom(Buffer.from('{"not": json'), Buffer.alloc(0)),
);

const record = fc.record({
  stream: fc.oneof(fc.string(), fc.constantFrom('channel-1', 'Grüße 👍')),
  type: fc.string(),
  json: fc.boolean(),
  revision: numbers,
  commit: numbers,
  prepare: numbers,
  metadata: bytes,
  data: bytes,
});

const responseOf = (given: typeof record extends fc.Arbitrary<infer R> ? R : never) => {
  const recorded = new ReadResp.ReadEvent.RecordedEvent();
  const id = new shared.UUID();
  id.setString('0b8e7d58-3c5b-4e33-9c0e-0a6f4f9f4d11');
  recorded.setId(id);
  const stream = new shared.StreamIdentifier();
  stream.setStreamName(Buffer.from(given.stream));
  recorded.setStreamIdentifier(stream);
  recorded.setStreamRevision(String(given.revision));
  recorded.setCommitPosition(String(given.commit));
  recorded.setPreparePosition(String(given.prepare));
  recorded.getMetadataMap().set('type', given.type);
  recorded.getMetadataMap().set('created', '638300000000000000');
  recorded.getMetadataMap().set('content-type', given.json ? 'application/json' : 'application/octet-stream');
  recorded.setCustomMetadata(given.metadata);
  recorded.setData(given.data);
  const event = new ReadResp.ReadEvent();
  event.setEvent(recorded);
  event.setCommitPosition(String(given.commit));
  const response = new ReadResp();
  response.setEvent(event);
  return { event, message: Buffer.from(response.serializeBinary()) };
};

const messageWith = (fill: (response: InstanceType<typeof ReadResp>) => void): Buffer => {
  const response = new ReadResp();
  fill(response);
  return Buffer.from(response.serializeBinary());
};

describe('what a subscription tells', () => {
  it('is of each event what the client would tell', () =>
    fc.assert(
      fc.property(record, (given) => {
        const { event, message } = responseOf(given);
        const { streamId, type, revision, position, data, metadata } = convertGrpcEvent(event).event!;
        const plain = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value) : value);
        expect(toldIn(message)).toEqual({
          kind: 'event',
          event: { streamId, type, revision, position, data: plain(data), metadata: plain(metadata) },
        });
      }),
    ));

  it('is where everything has been searched, with both halves', () =>
    fc.assert(
      fc.property(numbers, numbers, (commit, prepare) => {
        const message = messageWith((response) => {
          const checkpoint = new ReadResp.Checkpoint();
          checkpoint.setCommitPosition(String(commit));
          checkpoint.setPreparePosition(String(prepare));
          response.setCheckpoint(checkpoint);
        });
        expect(toldIn(message)).toEqual({ kind: 'checkpoint', position: { commit, prepare } });
      }),
    ));

  it('is that it was confirmed, and that it has caught up; all else is nothing to us', () => {
    const confirmation = new ReadResp.SubscriptionConfirmation();
    confirmation.setSubscriptionId('id');
    expect(toldIn(messageWith((response) => void response.setConfirmation(confirmation)))).toEqual({
      kind: 'confirmed',
    });
    const caughtUp = new ReadResp.CaughtUp();
    expect(toldIn(messageWith((response) => void response.setCaughtUp(caughtUp)))).toEqual({ kind: 'caught up' });
    const behind = new ReadResp.FellBehind();
    expect(toldIn(messageWith((response) => void response.setFellBehind(behind)))).toBeUndefined();
    expect(toldIn(Buffer.alloc(0))).toBeUndefined();
    expect(toldIn(Buffer.from([0xfd, 0x3f, 1, 2, 3, 4, 0xf9, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8]))).toBeUndefined();
  });

  it('is refused where a message breaks off', () =>
    fc.assert(
      fc.property(record, fc.nat(), (given, at) => {
        const { message } = responseOf(given);
        expect(() => toldIn(message.subarray(0, 1 + (at % (message.length - 1))))).toThrow(RangeError);
      }),
    ));
});
