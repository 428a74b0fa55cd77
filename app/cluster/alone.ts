/** Work that one process of the installation does at a time. */
import { seekLeadership } from '../../vault/postgres/index.ts';

/**
 * Runs `work` while nobody else runs work of the same name.
 * @param url of the vault's database
 */
export const alone = async (url: string, name: string, work: () => Promise<void>): Promise<void> => {
  let settle: (outcome: Promise<void>) => void = () => {};
  const done = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const leadership = seekLeadership({
    url,
    name,
    onGained: async () => {
      const working = work();
      settle(working);
      await working.catch(() => {});
    },
    onLost: async () => {},
  });
  try {
    await done;
  } finally {
    await leadership.stop();
  }
};
