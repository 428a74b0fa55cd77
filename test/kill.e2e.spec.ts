import { killSuite } from './suites/kill.ts';
import { startInstance } from './support/instance.ts';

killSuite(startInstance, 10);
