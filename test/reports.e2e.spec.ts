import { reportsSuite } from './suites/reports.ts';
import { startInstance } from './support/instance.ts';

reportsSuite(startInstance);
