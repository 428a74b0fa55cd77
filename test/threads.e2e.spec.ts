import { threadsSuite } from './suites/threads.ts';
import { startInstance } from './support/instance.ts';

threadsSuite(startInstance);
