/** The kinds of entries between the main process and a socket process. Each begins with the id of a socket. */

/** To a socket process. */
export const To = {
  /** Instead of a socket, the place of these frames among those of the batch, from 0; blob. */
  frames: 1,
  /** Place of the frames. */
  write: 2,
  /** Code, blob with the reason. */
  close: 3,
  destroySoon: 4,
  terminate: 5,
  pause: 6,
  resume: 7,
  takeLongFrames: 8,
  /** Place in `COMPRESSIONS`, 1 if it may remember. */
  compress: 9,
  ping: 10,
} as const;

/** To the main process. */
export const From = {
  /** The socket has been taken over. */
  arrived: 1,
  /** Blob: a frame of the client's. */
  received: 2,
  gone: 3,
  /** Bytes that wait in the socket, when that has changed. */
  waiting: 4,
  /** Instead of a socket, how many batches have been carried out since this was said last. */
  done: 5,
  pong: 6,
} as const;

/** What goes with a socket that is handed over. */
export interface Handover {
  readonly id: number;
  /** What the handshake is answered by. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** What the client sent after its request, in base64. */
  readonly head: string;
}

// What a socket process says beside its batches.

/** Once it can take sockets. */
export const IS_UP = 'up';

/** What it has taken of the machine, at once and every few seconds. */
export interface Usage {
  /** Since it began. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** How often it says so. */
export const USAGE_MS = 5_000;

/** The descriptor of the stream for batches in a socket process. */
export const STREAM_FD = 4;
