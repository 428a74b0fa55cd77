import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { lawsSuite } from './suites/laws.ts';
import { type EmbeddedInstance, startInstance } from './support/instance.ts';

lawsSuite(startInstance, 10, (instance) => {
  const { data } = instance as EmbeddedInstance;
  for (const end of ['', '-wal', '-shm']) rmSync(join(data, `views.db${end}`), { force: true });
});
