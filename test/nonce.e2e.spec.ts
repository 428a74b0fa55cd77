import { nonceSuite } from './suites/nonce.ts';
import { startInstance } from './support/instance.ts';

nonceSuite(startInstance);
