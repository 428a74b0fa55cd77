/** A log file on disk: which day it is of, what identifies it, and its lines. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { dateInName, type IrcLine, parseIrcLog } from './irc-parser.ts';

export interface IrcFile {
  readonly path: string;
  /** SHA-256 of the content in hex: the same file under another name or in another folder is the same file. */
  readonly hash: string;
  /** Midnight UTC of the day in the file's name, in milliseconds since 1970. */
  readonly midnight: number;
  lines(): AsyncGenerator<IrcLine>;
}

/**
 * @throws when the name holds no date or the file cannot be read; the message names the file.
 */
export const openIrcFile = async (path: string): Promise<IrcFile> => {
  const midnight = dateInName(basename(path));
  if (midnight === undefined) {
    throw new Error(`${path}: the day of an IRC log is taken from its file's name, which must hold a date YYYY-MM-DD`);
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { path, hash: hash.digest('hex'), midnight, lines: () => parseIrcLog(createReadStream(path), midnight) };
};
