import { readFileSync } from 'node:fs';
import { v4 as uuid } from 'uuid';

/**
 * Names the present boot of the machine. Where the system does not tell, every process counts as a boot, so that a file
 * which was not closed is rebuilt rather than trusted.
 */
export const bootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return uuid();
  }
};
