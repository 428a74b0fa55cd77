/** Runs the cluster suites. Without their servers it runs one skipped test in place of each file. */
import { inject, TestRunner, test } from 'vitest';
import type {} from './global-setup.ts';

export default class ClusterRunner extends TestRunner {
  override importFile(...[file, source]: Parameters<TestRunner['importFile']>): unknown {
    // The file is not imported, because a suite may connect while it is being collected.
    if (source === 'collect' && inject('clusterMissing') !== '') {
      test.skip('needs its servers: npm run services -- up');
      return undefined;
    }
    return super.importFile(file, source);
  }
}
