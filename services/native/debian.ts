/** Debian packages: installed where we may, requested from the user where we may not. */

import { join } from 'node:path';
import { servicesFolder } from '../paths.ts';
import { ServiceMissing } from '../port.ts';
import { withLock } from './lock.ts';
import { findProgram, run } from './run.ts';

const isRoot = process.getuid?.() === 0;

/**
 * Makes `find` succeed, by installing `packages` if necessary.
 *
 * @throws ServiceMissing when we cannot install them; the message says how a person does
 */
export const programFrom = async (
  packages: readonly string[],
  find: () => string | undefined,
  tell: (message: string) => void,
): Promise<string> => {
  const there = find();
  if (there !== undefined) return there;
  const wanted = packages.join(' ');
  if (findProgram('apt-get') === undefined) {
    throw new ServiceMissing(`${wanted} is missing and there is no apt-get: install it, or start a Docker engine`);
  }
  if (!isRoot) {
    throw new ServiceMissing(`${wanted} is missing: run "sudo apt-get install ${wanted}", or start a Docker engine`);
  }
  return withLock(join(servicesFolder, 'apt.lock'), async () => {
    const meanwhile = find();
    if (meanwhile !== undefined) return meanwhile;
    tell(`installing ${wanted} with apt-get`);
    const environment = { DEBIAN_FRONTEND: 'noninteractive' };
    try {
      await run('apt-get', ['update', '-qq'], { environment });
      await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { environment });
    } catch (error) {
      throw new ServiceMissing(`${wanted} is missing and could not be installed: ${(error as Error).message}`);
    }
    const installed = find();
    if (installed === undefined) throw new ServiceMissing(`${wanted} was installed, but not what was expected of it`);
    return installed;
  });
};
