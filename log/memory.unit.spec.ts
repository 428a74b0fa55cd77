import { eventLogContract } from './contract.ts';
import { MemoryLog } from './memory.ts';

let opened = 0;

eventLogContract('memory', async () => {
  opened += 1;
  let log = new MemoryLog(`log ${opened}`);
  return {
    log,
    async reopen() {
      log = await log.reopen();
      return log;
    },
    dispose: () => log.close(),
  };
});
