/**
 * The keys that former versions gave to the lines of a log, so that a log they imported is known again, also when it has
 * grown since. They read `[09:14] <nick> text` alone, in UTF-8, one day a file, so what they read is read here as they did.
 *
 * The first ones counted lines under the hash of the whole file: one that has grown begins with what the file was then.
 * Later ones took the hash of what was read up to the line. Neither knew the day, which the time of the message tells.
 */

import { createHash } from 'node:crypto';
import type { RawLine } from './raw-lines.ts';
import { dateInName } from './times.ts';

const BY_FILE = /^irc:([0-9a-f]{64}):(\d+)$/;
const BY_LINE = /^irc:([0-9a-f]{64})$/;

const TIME = '\\[([01]\\d|2[0-3]):([0-5]\\d)\\]';
const MESSAGE = new RegExp(`^${TIME} <([^>]+)>(?: (.*))?$`, 's');
const ACTION = new RegExp(`^${TIME} {1,2}\\* (\\S+)(?: (.*))?$`, 's');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

interface FormerLine {
  readonly kind: string;
  readonly nick: string | null;
  readonly text: string;
  /** Milliseconds since midnight. */
  readonly clock: number;
}

const formerLine = (content: Uint8Array, before: number): FormerLine => {
  const text = decoder.decode(content);
  if (text.startsWith('===')) return { kind: 'system', nick: null, text, clock: before };
  const message = MESSAGE.exec(text);
  const said = message ?? ACTION.exec(text);
  if (said === null) return { kind: 'other', nick: null, text, clock: before };
  const [, hours, minutes, nick, words = ''] = said;
  const kind = message === null ? 'action' : words.trim() === '' ? 'empty' : 'message';
  return { kind, nick: nick!, text: words, clock: (Number(hours) * 60 + Number(minutes)) * MINUTE };
};

/** What former versions imported of a file. */
export interface FormerImport {
  /** All lines up to this one, counted from 1, were looked at. */
  readonly through: number;
  /** Those that became messages. Actions in their old form did not. */
  readonly said: ReadonlySet<number>;
}

const NOTHING: FormerImport = { through: 0, said: new Set() };

/** How many lines a file may have had after its last message, when it ended within a line. */
const TAIL = 20;

/** Feeds a file to its hash piece by piece. */
class SoFar {
  private readonly hash = createHash('sha256');

  /** @returns the hash of all bytes fed */
  feed(bytes: Uint8Array): string {
    return this.hash.update(bytes).copy().digest('hex');
  }

  /** @returns the hashes of all bytes fed and of some of these */
  *within(bytes: Uint8Array): Generator<string> {
    const hash = this.hash.copy();
    for (let i = 0; i < bytes.length; i += 1)
      yield hash
        .update(bytes.subarray(i, i + 1))
        .copy()
        .digest('hex');
  }
}

/** What former versions stored in a channel. */
export class FormerKeys {
  /** Of each file, by its hash: its lines that were stored, and their times. */
  private readonly files = new Map<string, Map<number, number>>();
  private readonly lines = new Map<string, number>();

  /** @param time of the message, in milliseconds since 1970 */
  add(key: string, time: number): void {
    const [, hash, line] = BY_FILE.exec(key) ?? [];
    if (hash !== undefined) {
      const lines = this.files.get(hash) ?? new Map<number, number>();
      this.files.set(hash, lines.set(Number(line), time));
    }
    const [, one] = BY_LINE.exec(key) ?? [];
    if (one !== undefined) this.lines.set(one, time);
  }

  /** @param name of the file, which gave its day */
  async of(name: string, lines: AsyncIterable<RawLine>): Promise<FormerImport> {
    const midnight = /\d{4}-\d\d-\d\d/.test(name) ? dateInName(name) : undefined;
    if (midnight === undefined || this.files.size + this.lines.size === 0) return NOTHING;
    const bytes = new SoFar();
    const read = createHash('sha256');
    const ends = this.endsOn(midnight);
    const clocks: number[] = [0];
    const said = new Set<number>();
    let through = 0;
    /** @param last line that the file with this hash had as a whole */
    const lookFor = (hash: string, last: number): void => {
      for (const [line, time] of this.files.get(hash) ?? [])
        if (line > through && line <= last && time === midnight + clocks[line]!) through = line;
    };
    for await (const { whole, line } of lines) {
      const fed = whole.at(-1) === LINE_FEED ? whole.subarray(0, -1) : whole;
      const content = fed.at(-1) === CARRIAGE_RETURN ? fed.subarray(0, -1) : fed;
      const { kind, nick, text, clock } = formerLine(content, clocks.at(-1)!);
      clocks.push(clock);
      if (kind === 'message' || kind === 'action') said.add(line);
      read.update(JSON.stringify([kind, nick, text, clock]));
      if (this.lines.get(read.copy().digest('hex')) === midnight + clock) through = line;
      if (this.files.size === 0) continue;
      // The file may have ended within the line, or without its line feed.
      if (ends.some((end) => line >= end && line <= end + TAIL))
        for (const hash of bytes.within(fed)) lookFor(hash, line - 1);
      lookFor(bytes.feed(fed), line);
      if (fed !== whole) lookFor(bytes.feed(whole.subarray(-1)), line);
    }
    return { through, said };
  }

  /** The last line stored of each file of a day. */
  private endsOn(midnight: number): readonly number[] {
    return [...this.files.values()].flatMap((lines) => {
      const [line, time] = [...lines].at(-1)!;
      return time >= midnight && time < midnight + DAY ? [line] : [];
    });
  }
}
