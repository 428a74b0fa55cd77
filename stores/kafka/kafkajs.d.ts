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
    readonly buf: Buffer;
    readonly buffer: Buffer;
    offset: number;
    ensureAvailable(length: number): void;
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
