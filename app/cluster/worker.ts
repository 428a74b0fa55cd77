/** This process's share of the ids: a leased worker, and another one once the lease is lost. */
import type { Worker } from '../../domain/snowflake.ts';
import { StoreUnavailable } from '../../schemas/unavailable.ts';
import { leaseWorker } from '../../vault/postgres/index.ts';

const RETRY_SECONDS = 2;

export interface LeasedWorker {
  /** @throws StoreUnavailable while no lease is held: no id may be made then */
  readonly worker: Worker;
  release(): Promise<void>;
}

/** @param url of the vault's database */
export const leasedWorker = async (url: string): Promise<LeasedWorker> => {
  let lease = await leaseWorker(url);
  let replacing: Promise<void> | undefined;
  const replace = async (): Promise<void> => {
    try {
      const next = await leaseWorker(url);
      await lease.release();
      lease = next;
    } catch {
      // The vault is still gone; whoever asks next tries again.
    }
    replacing = undefined;
  };
  return {
    worker: () => {
      if (lease.valid()) return lease.id;
      replacing ??= replace();
      throw new StoreUnavailable('worker ids', RETRY_SECONDS);
    },
    async release() {
      await replacing;
      await lease.release();
    },
  };
};
