import { readStatesSuite } from './suites/read-states.ts';
import { startInstance } from './support/instance.ts';

readStatesSuite(startInstance);
