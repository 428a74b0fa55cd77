/**
 * The files of a data folder that this process writes to. A file that is removed or replaced meanwhile still takes
 * writes, which nobody finds again after a restart. So every transaction asks first whether its files are in place.
 */

import { statSync } from 'node:fs';
import { basename } from 'node:path';

interface HeldFile {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/** A file of the data folder was removed or replaced while this process uses it. */
export class FileGone extends Error {
  constructor(path: string) {
    super(
      `${basename(path)} was removed or replaced while this server uses it, so nothing more is stored. Put that very file back, or stop the server and put back a backup`,
    );
    this.name = 'FileGone';
  }
}

const missing = (files: readonly HeldFile[]): FileGone | undefined => {
  for (const { path, device, inode } of files) {
    const now = statSync(path, { throwIfNoEntry: false });
    if (now?.ino !== inode || now.dev !== device) return new FileGone(path);
  }
  return undefined;
};

export class HeldFiles {
  readonly #all: HeldFile[] = [];
  #found: FileGone | undefined;

  /**
   * @param paths of files that this process has open
   * @returns the question to ask before each transaction: whether one of them is gone (some 2 us a file), or any other
   * file as of the last `gone()`
   */
  hold(...paths: readonly string[]): () => FileGone | undefined {
    const files = paths.map((path) => {
      const { dev, ino } = statSync(path);
      return { path, device: dev, inode: ino };
    });
    this.#all.push(...files);
    return () => missing(files) ?? this.#found;
  }

  /** Looks at all files. To be called every second or so. */
  gone(): FileGone | undefined {
    this.#found = missing(this.#all);
    return this.#found;
  }
}
