/** Of what is inside kafkajs, what we use. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  interface RequestQueue {
    readonly pending: readonly unknown[];
    throttledUntil: number;
    scheduleCheckPendingRequests(): void;
    checkPendingRequests(): void;
    destroy(): void;
    push(request: unknown): void;
  }
  const RequestQueue: { readonly prototype: RequestQueue; new (options: unknown): RequestQueue };
  export default RequestQueue;
}

declare module 'kafkajs/src/utils/long.js' {
  interface Long {
    toString(): string;
  }
  const Long: { fromInt(value: number): Long; fromValue(value: number | bigint | string): Long };
  export default Long;
}

declare module 'kafkajs/src/protocol/encoder.js' {
  import type Long from 'kafkajs/src/utils/long.js';

  type Whole = number | ReturnType<typeof Long.fromInt>;
  interface Encoder {
    buf: Buffer;
    readonly buffer: Buffer;
    offset: number;
    ensureAvailable(length: number): void;
    writeInt8(value: number): Encoder;
    writeInt16(value: number): Encoder;
    writeInt32(value: number): Encoder;
    writeInt64(value: Whole): Encoder;
    writeString(value: string | null | undefined): Encoder;
    writeUVarInt(value: number): Encoder;
    writeVarInt(value: number): Encoder;
    writeVarLong(value: Whole): Encoder;
  }
  const Encoder: {
    readonly prototype: Encoder;
    new (initialSize?: number): Encoder;
    sizeOfVarInt(value: number): number;
    sizeOfVarLong(value: Whole): number;
  };
  export default Encoder;
}

declare module 'kafkajs/src/protocol/decoder.js' {
  import type Long from 'kafkajs/src/utils/long.js';

  interface Decoder {
    readonly buffer: Buffer;
    offset: number;
    readVarInt(): number;
    readVarLong(): ReturnType<typeof Long.fromInt>;
  }
  const Decoder: { readonly prototype: Decoder; new (buffer: Buffer): Decoder };
  export default Decoder;
}

declare module 'kafkajs/src/protocol/recordBatch/crc32C/index.js' {
  const crc32C: (bytes: Buffer) => number;
  export default crc32C;
}

declare module 'kafkajs/src/broker/index.js' {
  import type Encoder from 'kafkajs/src/protocol/encoder.js';
  import type Long from 'kafkajs/src/utils/long.js';
  export interface Sent {
    readonly key?: string | null;
    readonly value?: string | null;
    readonly timestamp?: string;
    readonly headers?: object;
  }
  export interface ProduceRequest {
    readonly transactionalId?: string | null;
    readonly acks: number;
    readonly timeout: number;
    readonly compression: number;
    readonly producerId: number | ReturnType<typeof Long.fromInt>;
    readonly producerEpoch: number;
    readonly topicData: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly firstSequence: number;
        readonly messages: readonly Sent[];
      }[];
    }[];
  }
  interface Made {
    readonly request: { readonly apiVersion: number; readonly encode: () => Promise<Encoder> };
    readonly response: unknown;
  }
  export interface Fetched {
    readonly request: { readonly apiVersion: number };
    readonly response: { readonly decode: (bytes: Buffer) => Promise<unknown> };
  }
  interface Broker {
    readonly lookupRequest: (key: number, versions: unknown) => (request: ProduceRequest) => Made;
    produce(given: Partial<ProduceRequest>): Promise<unknown>;
    fetch(given: object): Promise<unknown>;
  }
  const Broker: { readonly prototype: Broker };
  export default Broker;
}
