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

interface Prefixed {
  readonly line: IrcLine;
  /** Hash of the file up to the line. */
  readonly prefix: string;
}

async function* prefixed({ day, lines }: Pick<IrcFile, 'day' | 'lines'>): AsyncGenerator<Prefixed> {
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

  /** The file under its name and under those that it was imported under. */
  private async namesOf(file: Pick<IrcFile, 'name' | 'day' | 'lines'>): Promise<readonly string[]> {
    const ends = new Map([...this.ends].map(([owner, end]) => [end, owner]));
    const names = new Set([ownerOf(file.name)]);
    let last: string | undefined;
    for await (const { line, prefix } of prefixed(file)) {
      if (!isSaid(line)) continue;
      last = prefix;
      const owner = ends.get(prefix);
      if (owner !== undefined) names.add(owner);
    }
    for (const [owner, lines] of this.files) if (last !== undefined && lines.has(last)) names.add(owner);
    return [...names];
  }

  /** The lines of a file. Those that are not known count as imported as soon as they are returned. */
  async *linesOf(file: Pick<IrcFile, 'name' | 'day' | 'lines'>): AsyncGenerator<KeyedLine> {
    const names = await this.namesOf(file);
    const own = ownerOf(file.name);
    const through = await this.former.through(file.name, file.lines());
    for await (const { line, prefix } of prefixed(file)) {
      const found = names.map((owner) => this.files.get(owner)?.get(prefix)).find((one) => one !== undefined);
      const isKnown = line.line <= through || found !== undefined;
      if (isSaid(line) && !isKnown) this.remember(own, prefix, null);
      yield { line, key: `irc:${own}:${prefix}`, isKnown, message: found ?? undefined };
    }
  }
}
