import { guildLifeSuite } from './suites/guild-life.ts';
import { startInstance } from './support/instance.ts';

guildLifeSuite(startInstance);
