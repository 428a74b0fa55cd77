import { relationshipsSuite } from './suites/relationships.ts';
import { startInstance } from './support/instance.ts';

relationshipsSuite(startInstance);
