import { moderationSuite } from './suites/moderation.ts';
import { startInstance } from './support/instance.ts';

moderationSuite(startInstance);
