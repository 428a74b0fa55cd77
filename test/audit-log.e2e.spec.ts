import { auditLogSuite } from './suites/audit-log.ts';
import { startInstance } from './support/instance.ts';

auditLogSuite(startInstance);
