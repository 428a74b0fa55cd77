/** Where this checkout keeps what its servers need: one folder that git ignores. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root: right from the sources and from a bundle, wherever inside the checkout it lies. */
const rootOf = (folder: string): string => {
  if (existsSync(join(folder, 'package.json')) || folder === dirname(folder)) return folder;
  return rootOf(dirname(folder));
};

export const checkout = rootOf(dirname(fileURLToPath(import.meta.url)));
export const servicesFolder = join(checkout, '.services');
export const librariesFolder = join(servicesFolder, 'lib');
