/** Processes and folders for the specs of the SQLite log. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleOf } from '../processes.testing.ts';

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'parley-log-'));

/** Whether this machine allows tracing a process. */
export const canTrace = (): boolean => spawnSync('strace', ['-f', 'true']).status === 0;

/** Bundles `appending-process.testing.ts`. @returns the bundle's path, and how to remove it */
export const appendingProcess = () => bundleOf('log/sqlite/appending-process.testing.ts');
