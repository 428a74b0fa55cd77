import { recordingSuite } from './suites/recording.ts';
import { startClusterInstance } from './support/cluster-instance.ts';

recordingSuite(startClusterInstance);
