import { lawsSuite } from './suites/laws.ts';
import { startInstance } from './support/instance.ts';

lawsSuite(startInstance);
