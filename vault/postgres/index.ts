export { openCheckpoints } from './checkpoints.ts';
export { seekLeadership } from './leadership.ts';
export { openPostgresVault } from './vault.ts';
export { leaseWorker, NoWorkerLeft } from './workers.ts';
