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

  /**
   * How many lines of a file were imported.
   * @param name of the file, which gave its day
   */
  async through(name: string, lines: AsyncIterable<RawLine>): Promise<number> {
    const midnight = /\d{4}-\d\d-\d\d/.test(name) ? dateInName(name) : undefined;
    if (midnight === undefined || this.files.size + this.lines.size === 0) return 0;
    const bytes = createHash('sha256');
    const read = createHash('sha256');
    const clocks: number[] = [0];
    let through = 0;
    const lookFor = (hash: string): void => {
      for (const [line, time] of this.files.get(hash) ?? [])
        if (line > through && time === midnight + (clocks[line] ?? Number.NaN)) through = line;
    };
    for await (const { whole, line } of lines) {
      const fed = whole.at(-1) === LINE_FEED ? whole.subarray(0, -1) : whole;
      const content = fed.at(-1) === CARRIAGE_RETURN ? fed.subarray(0, -1) : fed;
      const { kind, nick, text, clock } = formerLine(content, clocks.at(-1)!);
      clocks.push(clock);
      read.update(JSON.stringify([kind, nick, text, clock]));
      if (this.lines.get(read.copy().digest('hex')) === midnight + clock) through = line;
      // The file may have ended without a line feed then.
      if (this.files.size > 0) lookFor(bytes.update(fed).copy().digest('hex'));
      if (this.files.size > 0 && fed !== whole) lookFor(bytes.update(whole.subarray(-1)).copy().digest('hex'));
    }
    return through;
  }
}
