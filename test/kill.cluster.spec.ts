import { killSuite } from './suites/kill.ts';
import { startClusterInstance } from './support/cluster-instance.ts';

killSuite(startClusterInstance, 3);
