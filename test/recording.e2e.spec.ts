import { recordingSuite } from './suites/recording.ts';
import { startInstance } from './support/instance.ts';

recordingSuite(startInstance);
