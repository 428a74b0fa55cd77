import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { formerVersionsSuite } from './suites/former-versions.ts';
import { LIMITS_OFF, startServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const FIXTURE = 'test/fixtures/v1/embedded';

formerVersionsSuite(FIXTURE, async () => {
  const data = temporaryFolder();
  for (const file of ['log.db', 'vault.db', 'signing.key']) {
    const copy = join(data.path, file);
    copyFileSync(join(FIXTURE, file), copy);
    // Restores the file modes that the server sets, because git does not keep them.
    chmodSync(copy, 0o600);
  }
  const server = await startServer({ data: data.path, env: LIMITS_OFF });
  return {
    url: server.url,
    close: async () => {
      await server.kill();
      data.remove();
    },
  };
});
