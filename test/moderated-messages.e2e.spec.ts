import { moderatedMessagesSuite } from './suites/moderated-messages.ts';
import { startInstance } from './support/instance.ts';

moderatedMessagesSuite(startInstance);
