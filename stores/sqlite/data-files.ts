/** The files of a data folder, whoever writes them. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UnusableDirectory } from '../directory.ts';

const FILES =
  /^(?:(?:log|vault|views)\.db(?:-wal|-shm|-journal)?|views\.db\.(?:building|damaged)|parley\.(?:lock|pid|reserve)|signing\.key)$/;

/**
 * Refuses a directory in which something else stands in the place of a file. One that is not there is as it should be.
 * @param setting the variable that names it
 * @throws UnusableDirectory
 */
export const checkFiles = (directory: string, setting?: string): void => {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) return;
  for (const name of readdirSync(directory).filter((one) => FILES.test(one))) {
    const found = statSync(join(directory, name), { throwIfNoEntry: false });
    if (found === undefined || found.isFile()) continue;
    const what = found.isDirectory() ? 'a folder' : 'something that is no file';
    throw new UnusableDirectory(
      setting === undefined ? directory : `${setting}: ${directory}`,
      `has ${what} in the place of the file ${name}. Move that elsewhere, and put the file back if there was one.`,
    );
  }
};
