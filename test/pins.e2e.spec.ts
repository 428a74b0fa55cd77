import { pinsSuite } from './suites/pins.ts';
import { startInstance } from './support/instance.ts';

pinsSuite(startInstance);
