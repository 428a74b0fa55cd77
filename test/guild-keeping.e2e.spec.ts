import { guildKeepingSuite } from './suites/guild-keeping.ts';
import { startInstance } from './support/instance.ts';

guildKeepingSuite(startInstance);
