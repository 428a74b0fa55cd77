/** For specs: reads what a compressed socket was sent, as a client does. */

import { constants, inflateSync } from 'node:zlib';

/** @returns reads the messages of one stream, in order */
export const inflating = (): ((message: Buffer) => string) => {
  let sent = Buffer.alloc(0);
  let read = 0;
  return (message) => {
    sent = Buffer.concat([sent, message]);
    const all = inflateSync(sent, { finishFlush: constants.Z_SYNC_FLUSH });
    const text = all.toString('utf8', read);
    read = all.length;
    return text;
  };
};

/** As `inflating`, for zstd. Knows only the blocks that a stream without memory consists of (RFC 8878). */
export const readingRawBlocks = (): ((message: Buffer) => string) => {
  let begun = false;
  return (message) => {
    if (!begun && message.readUInt32LE(0) !== 0xfd2fb528) throw new Error('no frame of zstd');
    const blocks: Buffer[] = [];
    // The magic number, the descriptor of the frame and that of its window.
    for (let at = begun ? 0 : 6; at < message.length; ) {
      const head = message.readUIntLE(at, 3);
      if ((head & 0b111) !== 0) throw new Error('no raw block, or the last one');
      const end = at + 3 + (head >> 3);
      if (end > message.length) throw new Error('a block is cut off');
      blocks.push(message.subarray(at + 3, end));
      at = end;
    }
    begun = true;
    return Buffer.concat(blocks).toString();
  };
};
