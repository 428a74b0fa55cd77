/**
 * Transport compression, for clients that ask for it: all messages to a socket are one stream in binary frames, flushed
 * after each message.
 */

import zlib from 'node:zlib';
import { binaryFrame, payloadsOf } from './frame-bytes.ts';

export const COMPRESSIONS = ['zlib-stream', 'zstd-stream'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** @param asked the `compress` of the URL; what is unknown asks for nothing */
export const compressionOf = (asked: unknown): Compression | undefined => COMPRESSIONS.find((one) => one === asked);

/** One stream: what a message adds to it. */
interface Stream {
  add(message: Buffer): Buffer;
  close(): void;
}

// Streams that remember what they have sent, and compress by it.

/**
 * The inside of Node's zlib streams. Their methods work in other threads, and what they wrote would follow frames that
 * `ws` writes itself; this writes at once. A message takes 5 us.
 */
interface Context {
  readonly _handle?: {
    writeSync?(flush: number, from: Buffer, at: number, length: number, to: Buffer, toAt: number, room: number): void;
  };
  /** Bytes of room left, and bytes left to read. */
  readonly _writeState?: Uint32Array;
  close(): void;
}

/** Node has it from 22.15 on. */
const { createZstdCompress, constants } = zlib as typeof zlib & {
  readonly createZstdCompress?: (options: { readonly chunkSize: number; readonly params: object }) => unknown;
  readonly constants: Readonly<Record<string, number>>;
};

/** Nothing is read from the streams themselves. */
const chunkSize = 64;

/** With these numbers a stream takes some 130 KB (zlib) and 100 KB (zstd), measured on Node 20 and 22. */
const contexts: Readonly<Record<Compression, () => { readonly context: unknown; readonly flush: number } | undefined>> =
  {
    'zlib-stream': () => ({
      context: zlib.createDeflate({ chunkSize, level: 1, windowBits: 12, memLevel: 5 }),
      flush: zlib.constants.Z_SYNC_FLUSH,
    }),
    'zstd-stream': () =>
      createZstdCompress && {
        context: createZstdCompress({
          chunkSize,
          params: {
            [constants.ZSTD_c_compressionLevel!]: 1,
            [constants.ZSTD_c_windowLog!]: 15,
            [constants.ZSTD_c_hashLog!]: 12,
            [constants.ZSTD_c_chainLog!]: 12,
          },
        }),
        flush: constants.ZSTD_e_flush!,
      },
  };

const OUT = Buffer.allocUnsafeSlow(65_536);

/** @returns `undefined` where this Node cannot */
const remembering = (kind: Compression): Stream | undefined => {
  const made = contexts[kind]();
  if (made === undefined) return undefined;
  const context = made.context as Context;
  const { _handle: handle, _writeState: state } = context;
  if (handle?.writeSync === undefined || state === undefined) {
    context.close();
    return undefined;
  }
  return {
    add: (message) => {
      const pieces: Buffer[] = [];
      for (let at = 0, full = true; full; ) {
        handle.writeSync!(made.flush, message, at, message.length - at, OUT, 0, OUT.length);
        const [room, left] = state as unknown as [number, number];
        pieces.push(Buffer.from(OUT.subarray(0, OUT.length - room)));
        at = message.length - left;
        full = room === 0;
      }
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    },
    close: () => context.close(),
  };
};

// Streams that send everything as it is, in the form of compressed ones. They take no memory.

interface StoredForm {
  /** Begins the stream. */
  readonly head: Buffer;
  /** Most bytes of a block. */
  readonly most: number;
  blockHead(length: number): Buffer;
  /** Ends a message. */
  readonly end: Buffer;
}

const NOTHING = Buffer.alloc(0);

const stored: Readonly<Record<Compression, StoredForm>> = {
  // RFC 1950 and RFC 1951, 3.2.4. An empty block is what a flush ends with.
  'zlib-stream': {
    head: Buffer.from([0x78, 0x01]),
    most: 0xffff,
    blockHead: (length) => {
      const head = Buffer.alloc(5);
      head.writeUInt16LE(length, 1);
      head.writeUInt16LE(~length & 0xffff, 3);
      return head;
    },
    end: Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff]),
  },
  // RFC 8878: one frame with a window of 128 KiB, whose last block never comes, of raw blocks (3.1.1.2).
  'zstd-stream': {
    head: Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]),
    most: 0x20000,
    blockHead: (length) => {
      const head = Buffer.alloc(3);
      head.writeUIntLE(length << 3, 0, 3);
      return head;
    },
    end: NOTHING,
  },
};

const storing = (kind: Compression): Stream => {
  const { head, most, blockHead, end } = stored[kind];
  let begun = false;
  return {
    add: (message) => {
      const pieces = begun ? [] : [head];
      begun = true;
      for (let at = 0; at < message.length; at += most) {
        const block = message.subarray(at, at + most);
        pieces.push(blockHead(block.length), block);
      }
      return Buffer.concat([...pieces, end]);
    },
    close: () => {},
  };
};

/** What is written to one socket. */
export class Compressor {
  private readonly stream: Stream;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  /** Once, when the socket is gone. */
  close(): void {
    this.stream.close();
  }

  /** @param frames one or more whole text frames. @returns the same as binary frames of the stream */
  frames(frames: Buffer): Buffer {
    return Buffer.concat(payloadsOf(frames).flatMap((payload) => binaryFrame(this.stream.add(payload))));
  }
}

/** Whether this Node has such streams. */
export const canRemember = (kind: Compression): boolean => kind === 'zlib-stream' || createZstdCompress !== undefined;

/** @param remembers whether it may; where this Node cannot, it stores all the same */
export const openCompressor = (kind: Compression, remembers: boolean): Compressor =>
  new Compressor((remembers ? remembering(kind) : undefined) ?? storing(kind));

/** How many streams of one process may remember. Further ones only store. */
export class Memories {
  private readonly most: number;
  private taken = 0;

  constructor(most: number) {
    this.most = most;
  }

  /** Whether there was one left. The caller gives it back. */
  take(): boolean {
    if (this.taken >= this.most) return false;
    this.taken += 1;
    return true;
  }

  giveBack(): void {
    this.taken -= 1;
  }
}
