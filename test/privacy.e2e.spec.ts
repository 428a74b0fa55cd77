import { privacySuite } from './suites/privacy.ts';
import { startInstance } from './support/instance.ts';

privacySuite(startInstance);
