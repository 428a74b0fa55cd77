/** The folder in which this checkout keeps everything for its servers. Git ignores it. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root, found from the sources and from a bundle anywhere inside the checkout. */
const rootOf = (folder: string): string => {
  if (existsSync(join(folder, 'package.json')) || folder === dirname(folder)) return folder;
  return rootOf(dirname(folder));
};

export const checkout = rootOf(dirname(fileURLToPath(import.meta.url)));
export const servicesFolder = join(checkout, '.services');
export const librariesFolder = join(servicesFolder, 'lib');
