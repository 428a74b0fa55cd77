export { openCheckpoints } from './checkpoints.ts';
export { claimVault, type VaultClaim, VaultInUse } from './claim.ts';
export { seekLeadership } from './leadership.ts';
export { openPostgresVault } from './vault.ts';
export { leaseWorker, NoWorkerLeft } from './workers.ts';
