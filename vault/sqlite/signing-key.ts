/** The signing secret: a file of its own, so that replacing it (which ends every token) is removing a file. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { UnusableVault } from './unusable-vault.ts';

const SIGNING_KEY_FILE = 'signing.key';
const FORM = /^[0-9a-f]{64}\n?$/;

const fsyncPath = (path: string): void => {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
};

/** Written whole beside it and then given its name: a crash leaves either no file or a good one. */
const write = (directory: string, file: string, secret: Buffer, put: (draft: string, file: string) => void): void => {
  const draft = `${file}.${process.pid}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${secret.toString('hex')}\n`);
    fsyncSync(descriptor);
    put(draft, file);
  } finally {
    closeSync(descriptor);
    rmSync(draft, { force: true });
  }
  fsyncPath(directory);
};

/**
 * Reads the secret, making it on the first start.
 * @throws UnusableVault when others may read the file or it does not hold a secret
 */
export const readSigningSecret = (directory: string): Buffer => {
  const file = join(directory, SIGNING_KEY_FILE);
  if (!existsSync(file)) write(directory, file, randomBytes(32), linkSync);
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new UnusableVault(
      `${file} may be read by others (mode ${mode.toString(8)}): whoever read it can sign in as anybody. ` +
        'Remove it if somebody may have (everybody signs in again), or run `chmod 600` on it.',
    );
  const text = readFileSync(file, 'latin1');
  if (!FORM.test(text))
    throw new UnusableVault(
      `${file} is damaged: it must hold 64 hexadecimal digits. Put it back from a backup, or remove it: ` +
        'a new one is made and everybody signs in again.',
    );
  return Buffer.from(text.trim(), 'hex');
};

/** Puts another secret in the place of the present one: every token of the present one ends. */
export const replaceSigningSecret = (directory: string, secret: Buffer): void =>
  write(directory, join(directory, SIGNING_KEY_FILE), secret, renameSync);
