/** A directory that an operator named: made if it is not there, or refused in words. */

import { accessSync, constants, existsSync, lstatSync, mkdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileReason } from './file-failures.ts';

/** The directory cannot be used at all; the message says why and what to do. */
export class UnusableDirectory extends Error {
  constructor(directory: string, why: string, cause?: unknown) {
    super(`${directory} ${why}`, { cause });
    this.name = 'UnusableDirectory';
  }
}

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

const whyNot = (directory: string, error: unknown): string => {
  const parent = dirname(resolve(directory));
  switch ((error as { code?: unknown }).code) {
    case 'ENOENT':
      return existsSync(parent)
        ? `cannot be created: ${parent} is of a file system in which no folder can be created. Correct the path.`
        : `cannot be created: there is no folder ${parent}. Create that one first, or correct the path.`;
    case 'ENOTDIR':
      return 'leads through a file. Correct the path.';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return existsSync(directory)
        ? 'cannot be written to: check its owner, its permissions and how its disk is mounted.'
        : `cannot be created: check the owner of ${parent}, its permissions and how its disk is mounted.`;
    case 'ENOSPC':
      return 'cannot be created: the disk is full.';
    default:
      return isLink(directory) && !existsSync(directory)
        ? `is a link to ${readlinkSync(directory)}, which is not there. Create that folder, or correct the link.`
        : `cannot be used: ${fileReason(error)}.`;
  }
};

/** What root makes in another user's folder, that user's server cannot open. */
const isOfAnotherUser = (owner: number): boolean => process.getuid?.() === 0 && owner !== 0;

/**
 * Creates the directory, for its owner alone, unless it is there. Its parent must be there: a wrong path, or a disk that
 * is not mounted, would otherwise become an empty server. (Node's `recursive` also tries for ever in a file system such as
 * /proc.)
 * @param setting the variable that names it. Its files are then a server's own, so root may not make any for another user.
 * @returns whether it was created
 * @throws UnusableDirectory
 */
export const makeDirectory = (directory: string, setting?: string): boolean => {
  const named = setting === undefined ? directory : `${setting}: ${directory}`;
  try {
    const isNew = !existsSync(directory);
    if (isNew) mkdirSync(directory, { mode: 0o700 });
    const found = statSync(directory);
    if (!found.isDirectory()) throw new UnusableDirectory(named, 'is a file; a folder is needed.');
    if (setting !== undefined && isOfAnotherUser(found.uid))
      throw new UnusableDirectory(
        named,
        `belongs to the user with the id ${found.uid}, who could not open what root makes in it. Run this as that user (runuser -u <name> -- ...), or give the folder to root.`,
      );
    accessSync(directory, constants.W_OK | constants.X_OK);
    return isNew;
  } catch (error) {
    if (error instanceof UnusableDirectory) throw error;
    throw new UnusableDirectory(named, whyNot(directory, error), error);
  }
};
