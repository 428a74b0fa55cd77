/** A log file on disk. It is looked at as a whole before anything is imported, so that it is read as a whole or refused. */

import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { MESSAGE_LENGTH } from '../../commands/features/messages.ts';
import { lengthOf } from '../../schemas/text.ts';
import { fileReason } from '../../stores/file-failures.ts';
import { type Decode, decoderOf, EncodingCheck, isUtf16 } from './encoding.ts';
import { formatOf, type LogFormat, READABLE, type Reading } from './irc-lines.ts';
import { formOf, fromUtf16, type RawLine, rawLines, WrongLog } from './raw-lines.ts';
import { dateInName, HalfDayCheck, lineTimes } from './times.ts';

export interface IrcLine extends Pick<Reading, 'kind' | 'nick' | 'text'>, RawLine {
  /** Milliseconds since 1970, read as UTC. A line without a time gets that of the line before. */
  readonly time: number;
  /** Byte sequences that stand for no character, each replaced by U+FFFD. */
  readonly replaced: number;
}

/** Maps nicknames that are equal on IRC to one string: in RFC 1459, `{}|^` are the lower case of `[]\~`. */
export const foldNick = (nick: string): string =>
  nick.toLowerCase().replaceAll('[', '{').replaceAll(']', '}').replaceAll('\\', '|').replaceAll('~', '^');

/** What the message of a line says: what somebody does is in italics. */
export const contentOf = ({ kind, text }: Pick<IrcLine, 'kind' | 'text'>): string =>
  kind === 'action' ? `_${text}_` : text;

/** What the person who imports knows about the files. */
export interface Told {
  /** Midnight UTC of the day on which the log begins, in milliseconds since 1970. */
  readonly day?: number | undefined;
  /** The name of an encoding, as the WHATWG lists them. */
  readonly encoding?: string | undefined;
}

export interface IrcFile {
  readonly path: string;
  readonly name: string;
  /** Midnight UTC of the day that its name or `Told` gives it, in milliseconds since 1970; `undefined` if its lines do. */
  readonly day: number | undefined;
  /** Time of its first line; `undefined` in an empty file. */
  readonly first: number | undefined;
  /** How many lines it has. */
  readonly count: number;
  /** What was guessed about it, for people to check. */
  readonly guesses: readonly string[];
  /** The lines that were there when the file was opened. */
  lines(): AsyncGenerator<IrcLine>;
}

const START = 4096;
const DAY = 86_400_000;
const BLANK = /^\s*$/;

interface Lines {
  readonly isUtf16: boolean;
  /** Those of a file in UTF-16 are in UTF-8. */
  read(): AsyncIterable<RawLine>;
}

const linesOf = async (path: string): Promise<Lines> => {
  const { size } = await stat(path);
  if (size === 0) return { isUtf16: false, read: async function* () {} };
  const file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(START), 0, START, 0).finally(() => file.close());
  const form = formOf(buffer.subarray(0, bytesRead));
  // The file may grow meanwhile.
  const bytes = () => createReadStream(path, { end: size - 1 });
  return form === 'ascii based'
    ? { isUtf16: false, read: () => rawLines(bytes()) }
    : { isUtf16: true, read: () => rawLines(fromUtf16(bytes(), form)) };
};

/** Reads all lines once. @throws WrongLog for a file that is no log, or not of one format that can be read */
class Survey {
  format: LogFormat | undefined;
  private formatLine = 0;
  private unread = 0;
  private firstUnread = 0;
  private known = 0;
  private said = 0;
  private readonly encoding = new EncodingCheck();
  private readonly halfDays = new HalfDayCheck();
  count = 0;

  add({ content, line }: RawLine): void {
    this.count = line;
    this.encoding.add(content, line);
    // The signs of a format are in ASCII.
    const text = Buffer.from(content).toString('latin1');
    if (text.split('\r').slice(1).some(formatOf))
      throw new WrongLog(
        `line ${line} has other lines in it, which end with a carriage return alone: let line feeds end them`,
      );
    const format = formatOf(text);
    if (format !== undefined) this.take(format, text, line);
    const reading = this.format?.read?.(text);
    if (reading !== undefined) this.halfDays.add(reading);
    if (Number.isNaN(reading?.day))
      throw new WrongLog(`line ${line} names a day that is not read: it must be in English`);
    if (reading !== undefined && reading.nick !== null) this.said += 1;
    if (reading !== undefined && reading.kind !== 'other') this.known += 1;
    else if (!BLANK.test(text)) {
      this.unread += 1;
      this.firstUnread ||= line;
    }
  }

  private take(format: LogFormat, text: string, line: number): void {
    const { name, refusal } = format;
    if (refusal !== undefined) throw new WrongLog(`line ${line} is of a log of ${name}, which is not read: ${refusal}`);
    this.format ??= format;
    this.formatLine ||= line;
    if (this.format !== format && this.format.read?.(text).kind === 'other')
      throw new WrongLog(
        `line ${line} is of a log of ${name}, and line ${this.formatLine} of one of ${this.format.name}: split the file`,
      );
  }

  /** Lines that nothing is known of are a few notices in a log, and most lines of any other file, or all that say something. */
  check(): void {
    if (this.known === 0 && this.count > 0)
      throw new WrongLog(`no line of it is one of an IRC log that is read here: ${READABLE}`);
    if (this.unread > this.known || (this.unread > 0 && this.said === 0))
      throw new WrongLog(
        `it is no IRC log, or of a form that is not read here: line ${this.firstUnread} is none of ${this.format!.name}`,
      );
  }

  get is12Hours(): boolean {
    return this.halfDays.is12Hours;
  }

  decode(): Decode {
    return this.encoding.decode();
  }

  get latin1(): number {
    return this.encoding.latin1;
  }
}

/** @throws WrongLog where what is told is not so */
const decodeAs = (encoding: string, lines: Lines, survey: Survey): Decode => {
  const decode = decoderOf(encoding);
  if (isUtf16(encoding) !== lines.isUtf16)
    throw new WrongLog(`it is ${lines.isUtf16 ? '' : 'not '}in UTF-16, and --encoding says ${encoding}`);
  return lines.isUtf16 ? survey.decode() : decode;
};

async function* parsed(
  lines: AsyncIterable<RawLine>,
  read: (line: string) => Reading,
  decode: Decode,
  timeOf: (reading: Reading) => number | undefined,
): AsyncGenerator<IrcLine> {
  for await (const raw of lines) {
    const { text: whole, replaced } = decode(raw.content);
    const reading = read(whole);
    const { kind, nick, text } = reading;
    const time = timeOf(reading);
    if (time === undefined && nick !== null)
      throw new WrongLog(
        'the day on which it begins is neither in its name, as YYYY-MM-DD, nor in its lines: give it with --day',
      );
    yield { ...raw, kind, nick, text, time: time ?? 0, replaced };
  }
}

const opened = async (path: string, now: number, told: Told): Promise<IrcFile> => {
  const lines = await linesOf(path);
  const survey = new Survey();
  for await (const line of lines.read()) survey.add(line);
  survey.check();
  const { count, is12Hours, format } = survey;
  const decode = told.encoding === undefined ? survey.decode() : decodeAs(told.encoding, lines, survey);
  const name = basename(path);
  const day = told.day ?? dateInName(name);
  if (day === undefined && count === 0) throw new WrongLog('it is empty, and its name holds no date YYYY-MM-DD');
  if (day !== undefined && day > now) throw new WrongLog('the day in its name has not come yet');

  let midnights = 0;
  const read = async function* (): AsyncGenerator<IrcLine> {
    if (format?.read === undefined) return;
    const times = lineTimes(day, is12Hours);
    // A clock that goes ahead of this one makes no id of the future.
    const timeOf = (reading: Reading) => {
      const time = times.of(reading);
      if (time === undefined || time <= now) return time;
      if (time > now + DAY) throw new WrongLog('it has lines of a day that has not come yet');
      return now;
    };
    yield* parsed(lines.read(), format.read, decode, timeOf);
    ({ midnights } = times);
  };
  let first: number | undefined;
  for await (const one of read()) {
    const { line, nick, time } = one;
    if (time > 0) first ??= time;
    if (nick !== null && lengthOf(contentOf(one)) > MESSAGE_LENGTH)
      throw new WrongLog(`line ${line} is longer than the ${MESSAGE_LENGTH} characters of a message`);
  }
  const guesses = [
    ...(told.encoding === undefined && survey.latin1 > 0 ? [`read as Latin-1: ${survey.latin1} of its lines`] : []),
    ...(is12Hours ? ['its clock is taken for one of 12 hours that begins in the morning'] : []),
    ...(midnights > 0 ? [`it goes on after midnight: it is taken to be of ${midnights + 1} days`] : []),
  ];
  return { path, name, day, first, count, guesses, lines: read };
};

/**
 * @param now milliseconds since 1970
 * @throws when the file cannot be read, is no IRC log of a known format, or of a day that is not known or has not come; the
 *   message names the file.
 */
export const openIrcFile = async (path: string, now: number, told: Told = {}): Promise<IrcFile> => {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new Error(`${path} is a folder: name the files in it`);
    if (!found.isFile()) throw new Error(`${path} is no file`);
    return await opened(path, now, told);
  } catch (failure) {
    if (failure instanceof WrongLog) throw new Error(`${path}: ${failure.message}`);
    if ((failure as NodeJS.ErrnoException).code !== undefined)
      throw new Error(`${path} cannot be read: ${fileReason(failure)}`);
    throw failure;
  }
};
