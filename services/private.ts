/** Servers that belong to one test, with their own ports and data. They may be killed without affecting anything else. */

import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createServices } from './choose.ts';
import { ports as sharedPorts } from './endpoints.ts';
import { identityOf, isAlive, parseIdentity } from './native/identity.ts';
import { withLock } from './native/lock.ts';
import { servicesFolder } from './paths.ts';
import type { OwnServices, Progress } from './port.ts';
import type { Ports } from './ports.ts';

const folder = join(servicesFolder, 'private');
const ownerFile = (directory: string): string => join(directory, 'owner.json');
const portsFile = (directory: string): string => join(directory, 'ports.json');

/**
 * Below the port range of outgoing connections (32768 and up). An outgoing connection could take a killed server's
 * port before it returns, and a client that tries a closed port of that range may connect to itself.
 */
const [FIRST, LAST] = [20_000, 32_000];

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

const freePorts = async (): Promise<Ports> => {
  const names = Object.keys(sharedPorts) as (keyof Ports)[];
  const first = randomInt(FIRST, LAST - names.length);
  const free = await Promise.all(names.map((_, index) => isFree(first + index)));
  if (free.includes(false)) return freePorts();
  return Object.fromEntries(names.map((name, index) => [name, first + index])) as Ports;
};

const sweep = async (): Promise<void> => {
  for (const entry of readdirSync(folder)) {
    const directory = join(folder, entry);
    // A set without both files is being made or removed.
    if (!existsSync(ownerFile(directory)) || !existsSync(portsFile(directory))) continue;
    const owner = parseIdentity(readFileSync(ownerFile(directory), 'utf8'));
    if (owner === undefined || isAlive(owner)) continue;
    const ports = JSON.parse(readFileSync(portsFile(directory), 'utf8')) as Ports;
    await createServices({ directory, ports }).destroy();
  }
};

/** Ends private sets whose test was killed before it could end them. */
export const endAbandoned = (): Promise<void> => withLock(join(folder, 'abandoned.lock'), sweep);

/**
 * A new set with nothing started: `const own = await privateServices(); await own.start('redis')`. Call `destroy` at the
 * end of the test, whether it passes or fails. What a killed test leaves is ended by the next test and by `down`.
 */
export const privateServices = async (progress?: Progress): Promise<OwnServices> => {
  await endAbandoned();
  const directory = join(folder, randomBytes(6).toString('hex'));
  const ports = await freePorts();
  await mkdir(directory, { recursive: true });
  await writeFile(portsFile(directory), JSON.stringify(ports));
  await writeFile(ownerFile(directory), JSON.stringify(identityOf(process.pid)));
  return createServices({ directory, ports, ...(progress && { progress }) });
};
