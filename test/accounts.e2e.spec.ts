import { accountsSuite } from './suites/accounts.ts';
import { startInstance } from './support/instance.ts';

accountsSuite(startInstance);
