/** For specs: socket processes that run the code as it is now. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { systemClock } from '../../schemas/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { openSocketProcesses, type SocketProcesses } from './pool.ts';

const SILENT: Logger = { debug: () => {}, warn: () => {}, error: () => {} };

/** Resolves when all of them can take sockets. The caller closes them. */
export const startSocketProcesses = async (count: number): Promise<SocketProcesses> => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-socket-process-'));
  const program = join(folder, 'socket-process.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('../../app/cli/socket-process.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
  });
  const processes = openSocketProcesses({
    ...{ wanted: () => count, logger: SILENT, clock: systemClock, program: pathToFileURL(program) },
  });
  if (processes === undefined) throw new Error('the program of socket processes was not built');
  while (processes.up < count) await new Promise((again) => setTimeout(again, 10));
  return {
    get up() {
      return processes.up;
    },
    take: (request, head) => processes.take(request, head),
    close: async () => {
      await processes.close();
      rmSync(folder, { recursive: true });
    },
  };
};
