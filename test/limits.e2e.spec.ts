import { limitsSuite } from './suites/limits.ts';
import { startInstance } from './support/instance.ts';

limitsSuite(startInstance);
