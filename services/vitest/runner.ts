/** Runs the cluster suites, or one skipped test in the place of each file when their servers are not there. */
import { inject, TestRunner, test } from 'vitest';
import type {} from './global-setup.ts';

export default class ClusterRunner extends TestRunner {
  override importFile(...[file, source]: Parameters<TestRunner['importFile']>): unknown {
    // Not even imported: a suite may well connect while it is being collected.
    if (source === 'collect' && inject('clusterMissing') !== '') {
      test.skip('needs its servers: npm run services -- up');
      return undefined;
    }
    return super.importFile(file, source);
  }
}
