import { saidSuite } from './suites/said.ts';
import { startInstance } from './support/instance.ts';

saidSuite(startInstance);
