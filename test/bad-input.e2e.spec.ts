import { badInputSuite } from './suites/bad-input.ts';
import { startInstance } from './support/instance.ts';

badInputSuite(startInstance);
