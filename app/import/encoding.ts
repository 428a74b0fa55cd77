/** From the bytes of a log's lines to text. Sees to it that nothing is read in a wrong encoding without a word. */

import { isAscii, isUtf8 } from 'node:buffer';
import { WrongLog } from './raw-lines.ts';

export interface Decoded {
  readonly text: string;
  /** Byte sequences that stand for nothing, each replaced by U+FFFD. */
  readonly replaced: number;
}

export type Decode = (content: Uint8Array) => Decoded;

/** What the bytes of a line are: `other` is an encoding that cannot be told. */
type Letters = 'ascii' | 'utf-8' | 'latin-1' | 'damaged utf-8' | 'other';

const MULTIBYTE = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g;
/** A character without its end. */
const CUT = /[\xe0-\xf4][\x80-\xbf]{1,2}$/;
/** A server cuts lines of about that many bytes, perhaps within a character. */
const CUT_AFTER = 400;
/** Windows-1252, which has Latin-1 in it, has no characters for these. */
const UNDEFINED = /[\x81\x8d\x8f\x90\x9d]/;
/** Languages in Latin-1 put letters of ASCII between their own. Signs may stand in rows. */
const RUN = /[\xc0-\xff]{3}|(?=[\xa0-\xbf]*[\x80-\x9f\xc0-\xff])[\x80-\xff]{4}/;

/** People in one channel may use several encodings, so each line is looked at by itself. */
const lettersOf = (content: Uint8Array): Letters => {
  if (isAscii(content)) return 'ascii';
  if (isUtf8(content)) return 'utf-8';
  const bytes = Buffer.from(content).toString('latin1');
  const rest = bytes.replace(MULTIBYTE, '');
  const broken = rest.match(/[\x80-\xff]/g)?.length ?? 0;
  const whole = bytes.length - rest.length;
  const isLong = bytes.length > CUT_AFTER;
  if (whole > broken || (CUT.test(rest) && (whole > 0 || isLong))) return 'damaged utf-8';
  if (isLong && /[\xc2-\xf4]$/.test(bytes)) return 'damaged utf-8';
  return UNDEFINED.test(bytes) || RUN.test(bytes) ? 'other' : 'latin-1';
};

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const WESTERN_NAME = 'windows-1252';
/** What windows-1252 has from 0x80 on. Node.js 20 reads Latin-1 instead, which has controls there. */
const FROM_80 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

const inWestern = (content: Uint8Array): string =>
  Buffer.from(content)
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (character) => FROM_80[character.charCodeAt(0) - 0x80]!);

const countOf = (text: string): number => text.split('\uFFFD').length - 1;

/** Replacement characters that are part of the text do not count. */
const inUtf8: Decode = (content) => {
  const text = utf8.decode(content);
  if (!text.includes('\uFFFD')) return { text, replaced: 0 };
  const written = Buffer.from(content).toString('latin1').split('\xef\xbf\xbd').length - 1;
  return { text, replaced: countOf(text) - written };
};

const mixed: Decode = (content) =>
  lettersOf(content) === 'latin-1' ? { text: inWestern(content), replaced: 0 } : inUtf8(content);

/** @param encoding a name that `decoderOf` knows */
export const isUtf16 = (encoding: string): boolean => new TextDecoder(encoding).encoding.startsWith('utf-16');

/** @throws WrongLog when there is no such encoding */
export const decoderOf = (encoding: string): Decode => {
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(encoding);
  } catch {
    throw new WrongLog(`there is no encoding ${encoding}: give --encoding a name such as windows-1251`);
  }
  return (content) => {
    const text = decoder.encoding === WESTERN_NAME ? inWestern(content) : decoder.decode(content);
    return { text, replaced: countOf(text) };
  };
};

/** How often lines of Latin-1 must outnumber those of an unknown encoding, which are few where people mix encodings. */
const WESTERN = 4;

/** Looks at all lines of a file before any of them is decoded. */
export class EncodingCheck {
  private readonly counts: Record<Letters, number> = {
    ...{ ascii: 0, 'utf-8': 0, 'latin-1': 0, 'damaged utf-8': 0, other: 0 },
  };
  private firstOther = 0;

  add(content: Uint8Array, line: number): void {
    const letters = lettersOf(content);
    this.counts[letters] += 1;
    if (letters === 'other') this.firstOther ||= line;
  }

  /** Lines that `decode` reads as Latin-1. */
  get latin1(): number {
    return this.decode() === mixed ? this.counts['latin-1'] : 0;
  }

  /** @throws WrongLog where no encoding can be told */
  decode(): Decode {
    const { other, 'latin-1': latin1, 'utf-8': utf } = this.counts;
    if (latin1 >= WESTERN * other) return mixed;
    if (utf > other + latin1) return inUtf8;
    throw new WrongLog(
      `line ${this.firstOther} and others are neither in UTF-8 nor in Latin-1: name their encoding with --encoding, such as windows-1251`,
    );
  }
}
