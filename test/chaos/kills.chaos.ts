/** What `kill.e2e.spec.ts` shows of one process, of both nodes of a cluster. */
import { killSuite } from '../suites/kill.ts';
import { startClusterInstance } from '../support/cluster-instance.ts';

killSuite(startClusterInstance, 10);
