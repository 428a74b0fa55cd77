/**
 * Reads channel logs as irclogs.ubuntu.com publishes them: `[HH:MM] <nick> text`, `[HH:MM]  * nick does`, and system
 * lines that begin with `===`. One file is one day, whose date is in the file's name. Every line of a file is returned,
 * so that an import can account for all of them.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface IrcLine {
  /**
   * message: a user said `text`; action: a user did `text`, which may be empty; empty: a message without words; system:
   * joins, parts, new nicks; other: anything else.
   */
  readonly kind: 'message' | 'empty' | 'action' | 'system' | 'other';
  /** Counted from 1. */
  readonly line: number;
  /** Null on system and other lines. */
  readonly nick: string | null;
  /** What the user said or did; on system and other lines, the whole line. */
  readonly text: string;
  /** Milliseconds since 1970, read as UTC, to the minute. A line without a time gets that of the line before. */
  readonly time: number;
  /** Byte sequences that were not UTF-8, each replaced by U+FFFD. */
  readonly replaced: number;
}

const TIME = '\\[([01]\\d|2[0-3]):([0-5]\\d)\\]';
const MESSAGE = new RegExp(`^${TIME} <([^>]+)>(?: (.*))?$`, 's');
const ACTION = new RegExp(`^${TIME} {1,2}\\* (\\S+)(?: (.*))?$`, 's');
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const MINUTE = 60_000;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Replacement characters that are part of the text do not count as replaced. */
const countReplaced = (text: string, bytes: Uint8Array): number => {
  if (!text.includes('\uFFFD')) return 0;
  let replaced = 0;
  for (const character of text) if (character === '\uFFFD') replaced += 1;
  for (let i = 0; i + 2 < bytes.length; i += 1) {
    if (bytes[i] === 0xef && bytes[i + 1] === 0xbf && bytes[i + 2] === 0xbd) replaced -= 1;
  }
  return replaced;
};

/**
 * The day of a log, from its file's name.
 * @returns midnight UTC in milliseconds since 1970; `undefined` when the name has no date `YYYY-MM-DD`.
 */
export const dateInName = (name: string): number | undefined => {
  const date = /(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)/.exec(name)?.[0];
  if (date === undefined) return undefined;
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Date.parse reads 31 February as 3 March.
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(date) ? midnight : undefined;
};

/** Maps nicknames that are equal on IRC to one string: in RFC 1459, `{}|^` are the lower case of `[]\~`. */
export const foldNick = (nick: string): string =>
  nick.toLowerCase().replaceAll('[', '{').replaceAll(']', '}').replaceAll('\\', '|').replaceAll('~', '^');

const parseLine = (bytes: Uint8Array, line: number, midnight: number, before: number): IrcLine => {
  const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
  const content = bytes.subarray(0, end);
  const text = decoder.decode(content);
  const replaced = countReplaced(text, content);
  if (text.startsWith('===')) return { kind: 'system', line, nick: null, text, time: before, replaced };
  const message = MESSAGE.exec(text);
  const said = message ?? ACTION.exec(text);
  if (said === null) return { kind: 'other', line, nick: null, text, time: before, replaced };
  const [, hours, minutes, nick, words = ''] = said;
  const time = midnight + (Number(hours) * 60 + Number(minutes)) * MINUTE;
  const kind = message === null ? 'action' : words.trim() === '' ? 'empty' : 'message';
  return { kind, line, nick: nick!, text: words, time, replaced };
};

/**
 * Returns every line of a log, in order. A last line without a line feed counts; the empty rest after a last line feed
 * does not.
 * @param chunks the file's bytes, cut anywhere.
 * @param midnight the log's day as `dateInName` returns it.
 */
export async function* parseIrcLog(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  midnight: number,
): AsyncGenerator<IrcLine> {
  let line = 0;
  let time = midnight;
  let rest: Uint8Array = new Uint8Array();
  const next = (bytes: Uint8Array): IrcLine => {
    line += 1;
    const parsed = parseLine(bytes, line, midnight, time);
    time = parsed.time;
    return parsed;
  };
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      yield next(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) yield next(rest);
}

/** A log file on disk: its day, its identity and its lines. */
export interface IrcFile {
  readonly path: string;
  /** SHA-256 of the content in hex. */
  readonly hash: string;
  /** Midnight UTC of the day in the file's name, in milliseconds since 1970. */
  readonly midnight: number;
  lines(): AsyncGenerator<IrcLine>;
}

/** Whether it is the log of an empty day, or some line of it is one of an IRC log. */
const isIrcLog = async (lines: AsyncIterable<IrcLine>): Promise<boolean> => {
  let isEmpty = true;
  for await (const { kind } of lines) {
    if (kind !== 'other') return true;
    isEmpty = false;
  }
  return isEmpty;
};

/**
 * @param now milliseconds since 1970
 * @throws when the file cannot be read or is no IRC log, or its name holds no date that has come; the message names the file.
 */
export const openIrcFile = async (path: string, now: number): Promise<IrcFile> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash).catch((failure: NodeJS.ErrnoException) => {
    if (failure.code === 'EISDIR') throw new Error(`${path} is a folder: name the files in it`);
    throw new Error(`${path} cannot be read: ${failure.message}`);
  });
  const midnight = dateInName(basename(path));
  if (midnight === undefined) {
    throw new Error(`${path}: the day of an IRC log is taken from its file's name, which must hold a date YYYY-MM-DD`);
  }
  if (midnight > now) throw new Error(`${path}: the day in its name has not come yet`);
  const lines = () => parseIrcLog(createReadStream(path), midnight);
  if (!(await isIrcLog(lines()))) throw new Error(`${path}: no line of it is one of an IRC log: [09:14] <nick> text`);
  return { path, hash: hash.digest('hex'), midnight, lines };
};
