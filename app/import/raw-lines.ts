/** The lines of a log as bytes, read piece by piece: no more than one line is held. */

export interface RawLine {
  /** Counted from 1. */
  readonly line: number;
  /** As in the file, with the line feed if there is one. */
  readonly whole: Uint8Array;
  /** Without the end of the line, and without the file's byte order mark. */
  readonly content: Uint8Array;
}

/** IRC allows 512 bytes, and 8 KiB with tags, which no log keeps. */
export const LINE_BYTES = 8192;

/** What is wrong with a file, to be said after its name. */
export class WrongLog extends Error {}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

const contentOf = (whole: Uint8Array, line: number): Uint8Array => {
  let end = whole.length;
  if (whole[end - 1] === LINE_FEED) end -= 1;
  if (whole[end - 1] === CARRIAGE_RETURN) end -= 1;
  const hasMark = line === 1 && MARK.equals(whole.subarray(0, MARK.length));
  return whole.subarray(hasMark ? MARK.length : 0, end);
};

/**
 * Returns every line, in order. A last line without a line feed counts; the empty rest after a last line feed does not.
 * @param chunks bytes in an encoding that extends ASCII, cut anywhere
 * @throws WrongLog as soon as a line is longer than `LINE_BYTES`
 */
export async function* rawLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<RawLine, void, undefined> {
  let line = 0;
  let rest: Uint8Array = new Uint8Array();
  const next = (whole: Uint8Array): RawLine => {
    line += 1;
    if (whole.length > LINE_BYTES)
      throw new WrongLog(
        `line ${line} is longer than ${LINE_BYTES.toLocaleString('en')} bytes, which no line of IRC is`,
      );
    return { line, whole, content: contentOf(whole, line) };
  };
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      yield next(bytes.subarray(start, end + 1));
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LINE_BYTES) next(rest);
  }
  if (rest.length > 0) yield next(rest);
}

/** Of the first bytes of a file. */
export type Form = 'ascii based' | 'utf-16le' | 'utf-16be';

const PACKED: readonly (readonly [name: string, magic: string])[] = [
  ['gzip', '1f8b'],
  ['bzip2', '425a68'],
  ['xz', 'fd377a585a00'],
  ['zstd', '28b52ffd'],
  ['zip', '504b0304'],
];

/** Of pairs of bytes in UTF-16, one in so many is a Latin letter, whose other byte is zero. */
const LATIN_OF = 4;

/**
 * Tells UTF-16 from everything else, with a byte order mark and without.
 * @throws WrongLog for what cannot be a log: packed files, UTF-32
 */
export const formOf = (start: Buffer): Form => {
  const packed = PACKED.find(([, magic]) => start.toString('hex').startsWith(magic));
  if (packed !== undefined) throw new WrongLog(`it is packed (${packed[0]}): unpack it first`);
  const mark = start.subarray(0, 4).toString('hex');
  if (mark === 'fffe0000' || mark === '0000feff') throw new WrongLog('it is in UTF-32: save it as UTF-8');
  if (mark.startsWith('fffe')) return 'utf-16le';
  if (mark.startsWith('feff')) return 'utf-16be';
  const zeros = [0, 0];
  for (const [i, byte] of start.entries()) if (byte === 0) zeros[i % 2]! += 1;
  const [even, odd] = zeros as [number, number];
  const many = start.length / 2 / LATIN_OF;
  if (odd > many && even < odd / 8) return 'utf-16le';
  return even > many && odd < even / 8 ? 'utf-16be' : 'ascii based';
};

/** The same text in UTF-8. What is no UTF-16 becomes U+FFFD. */
export async function* fromUtf16(
  chunks: AsyncIterable<Uint8Array>,
  form: Exclude<Form, 'ascii based'>,
): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(form);
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
}
