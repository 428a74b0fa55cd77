import { rolesSuite } from './suites/roles.ts';
import { startInstance } from './support/instance.ts';

rolesSuite(startInstance);
