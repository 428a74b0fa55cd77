/** The long form of `kill.cluster.spec.ts`. */
import { killSuite } from '../suites/kill.ts';
import { startClusterInstance } from '../support/cluster-instance.ts';

killSuite(startClusterInstance, 10);
