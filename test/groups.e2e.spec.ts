import { groupsSuite } from './suites/groups.ts';
import { startInstance } from './support/instance.ts';

groupsSuite(startInstance);
