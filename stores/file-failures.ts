/** What the system says of a file, in words for an operator. */

import { reasonOf } from './guard.ts';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  ENOTDIR: 'its path leads through a file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'its disk can only be read',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full for this user',
  EFBIG: 'it is as large as a file may be',
  EIO: 'the disk fails',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
};

/** For a sentence that names the file. */
export const fileReason = (failure: unknown): string => {
  const { code } = failure as { readonly code?: unknown };
  return (typeof code === 'string' ? WORDS[code] : undefined) ?? reasonOf(failure);
};

/** For a failure that nobody has put into a sentence. @returns `undefined` where it is not of a file */
export const fileSentence = (failure: unknown): string | undefined => {
  const { code, path } = failure as { readonly code?: unknown; readonly path?: unknown };
  return typeof path === 'string' && typeof code === 'string' && WORDS[code] !== undefined
    ? `${path}: ${WORDS[code]}`
    : undefined;
};
