// Which files of `dist/` a build leaves there. A server may run in the folder: of the files that it has not opened yet,
// it needs those of its own build. So they are named by their content, and stay until the build after the next one.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names the files of the last build, and of the one before it those that the last one has not written. */
const LIST = 'built-files.json';

const lastBuild = (folder) => {
  try {
    return JSON.parse(readFileSync(join(folder, LIST), 'utf8'));
  } catch {
    // Of a build that wrote none.
    return { files: readdirSync(folder), former: [] };
  }
};

/**
 * Removes what is neither of this build nor of the one before it. Code that was compiled of a file stays with it.
 * @param files the names of those that the build has written
 */
export const removeOldBuilds = (folder, files) => {
  const last = lastBuild(folder);
  const replaced = last.files.filter((name) => !files.includes(name));
  // The same build again replaces nothing.
  const former = replaced.length > 0 ? replaced : last.former.filter((name) => !files.includes(name));
  const kept = [LIST, ...files, ...former];
  const isKept = (name) => kept.some((one) => name === one || (one.endsWith('.cjs') && name.startsWith(`${one}.`)));
  for (const name of readdirSync(folder)) if (!isKept(name)) rmSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, LIST), JSON.stringify({ files, former }));
};
