/** Runs the cluster suites. Where a server of one is missing, it runs one skipped test in place of the file. */
import { relative, sep } from 'node:path';
import { inject, TestRunner, test } from 'vitest';
import { checkout } from '../paths.ts';
import type {} from './global-setup.ts';
import { needsOf } from './needs.ts';

export default class ClusterRunner extends TestRunner {
  override importFile(...[file, source]: Parameters<TestRunner['importFile']>): unknown {
    const gone = inject('missingServers');
    const lacking = needsOf(relative(checkout, file).split(sep).join('/')).filter((name) => gone.includes(name));
    // The file is not imported, because a suite may connect while it is being collected.
    if (source === 'collect' && lacking.length > 0) {
      test.skip(`needs ${lacking.join(', ')}: npm run services -- up`);
      return undefined;
    }
    return super.importFile(file, source);
  }
}
