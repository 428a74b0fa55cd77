/**
 * Which lines of a log a channel has. A line's key holds its file's name and a hash of the file's day and of all bytes up to
 * the line: two days that read the same are two, and a file that has grown has the keys that it had. A file with another name
 * that begins with all that is known of a file, or is the beginning of it, is that file.
 */

import { createHash } from 'node:crypto';
import type { PostedMessage } from '../../commands/importing.ts';
import { FormerKeys } from './former-keys.ts';
import type { IrcFile, IrcLine } from './irc-file.ts';

const KEY = /^irc:([0-9a-f]{16}):([0-9a-f]{32})$/;

const ownerOf = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 16);

/** Whether it becomes a message. */
export const isSaid = ({ kind }: Pick<IrcLine, 'kind'>): boolean => kind === 'message' || kind === 'action';

type LogLines = Pick<IrcFile, 'name' | 'day' | 'lines'>;

interface Survey {
  /** Names under which it was imported, as `ownerOf` gives them, and its own. */
  readonly names: ReadonlySet<string>;
  /** The last line that was stored under its own name. */
  readonly through: number;
}

interface Prefixed {
  readonly line: IrcLine;
  /** Hash of the file up to the line. */
  readonly prefix: string;
}

async function* prefixed({ day, lines }: LogLines): AsyncGenerator<Prefixed> {
  const soFar = createHash('sha256').update(`${day}\n`);
  for await (const line of lines()) {
    soFar.update(line.content).update('\n');
    yield { line, prefix: soFar.copy().digest('hex').slice(0, 32) };
  }
}

export interface KeyedLine {
  readonly line: IrcLine;
  readonly key: string;
  /** Whether it was imported before. */
  readonly isKnown: boolean;
  /** Whether it was not taken for a message then. What follows it is stored, so it stays out. */
  readonly isLeftOut: boolean;
  /** If it is known and was not deleted. */
  readonly message: PostedMessage | undefined;
}

export class ImportedLines {
  /** By the name of the file: hashes of lines, with their messages; null for those deleted. */
  private readonly files = new Map<string, Map<string, PostedMessage | null>>();
  /** Of each file, the last line that is known. */
  private readonly ends = new Map<string, string>();
  private readonly former = new FormerKeys();

  /** @param time of the message, in milliseconds since 1970 */
  add(key: string, time: number, message: PostedMessage): void {
    const [, owner, prefix] = KEY.exec(key) ?? [];
    if (owner === undefined) this.former.add(key, time);
    else this.remember(owner, prefix!, message);
  }

  /** Nothing can reply to the message of this key any more. */
  deleted(key: string): void {
    const [, owner = '', prefix = ''] = KEY.exec(key) ?? [];
    this.files.get(owner)?.set(prefix, null);
  }

  private remember(owner: string, prefix: string, message: PostedMessage | null): void {
    const lines = this.files.get(owner) ?? new Map<string, PostedMessage | null>();
    this.files.set(owner, lines.set(prefix, message));
    this.ends.set(owner, prefix);
  }

  /** What is known of a file as a whole. */
  private async survey(file: LogLines): Promise<Survey> {
    const ends = new Map([...this.ends].map(([owner, end]) => [end, owner]));
    const own = ownerOf(file.name);
    const names = new Set([own]);
    let through = 0;
    let last: string | undefined;
    for await (const { line, prefix } of prefixed(file)) {
      if (!isSaid(line)) continue;
      last = prefix;
      const owner = ends.get(prefix);
      if (owner !== undefined) names.add(owner);
      if (this.files.get(own)?.has(prefix)) through = line.line;
    }
    for (const [owner, lines] of this.files) if (last !== undefined && lines.has(last)) names.add(owner);
    return { names, through };
  }

  private find(prefix: string, owners: Iterable<string>): PostedMessage | null | undefined {
    for (const owner of owners) {
      const found = this.files.get(owner)?.get(prefix);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The lines of a file. Those that are not known count as imported as soon as they are returned. */
  async *linesOf(file: LogLines): AsyncGenerator<KeyedLine> {
    const { names, through } = await this.survey(file);
    const own = ownerOf(file.name);
    const former = await this.former.of(file.name, file.lines());
    for await (const { line, prefix } of prefixed(file)) {
      // What its own later lines were stored without was known under another name then, whatever that is now.
      const owners = line.line < through ? this.files.keys() : names;
      const found = this.find(prefix, owners);
      const isPast = line.line <= former.through;
      const isKnown = isPast || found !== undefined;
      const isLeftOut = isPast && found === undefined && isSaid(line) && !former.said.has(line.line);
      if (isSaid(line) && !isKnown) this.remember(own, prefix, null);
      yield { line, key: `irc:${own}:${prefix}`, isKnown, isLeftOut, message: found ?? undefined };
    }
  }
}
