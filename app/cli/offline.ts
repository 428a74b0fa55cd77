/** Commands that work straight on the data folder, without a server. */
import { type Core, openCore } from '../embedded/core.ts';
import { createMetrics } from '../metrics.ts';
import { complain, configured, Exit } from './configured.ts';
import { rebuildProgress } from './progress.ts';

/** Opens the folder for this process alone, runs, and closes it again whatever happens. */
export const withCore = async <T>(run: (core: Core) => Promise<T>): Promise<T> => {
  const config = configured();
  const core = await openCore({
    config,
    metrics: createMetrics(),
    onRebuild: rebuildProgress(),
    onFailure: (error) => {
      complain(`parley: the views cannot go on: ${error instanceof Error ? error.message : String(error)}`);
      process.exit(Exit.failed);
    },
  });
  await core.start();
  try {
    return await run(core);
  } finally {
    await core.close();
  }
};
